const HEAP = 350e6;
const OBJECT = 100;

/** A heap as a busy server has it: what a full collection has to walk. */
export const fillHeap = () => {
  const kept = [];
  for (let i = 0; i < HEAP / OBJECT; i++) kept.push({ id: i, name: `object ${i}` });
  return kept;
};
