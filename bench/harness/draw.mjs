/** The numbers that Draw() in c/reading.c draws: xorshift32. A state goes in, the next comes out. */
export const nextDraw = (state) => {
  state ^= state << 13;
  state ^= state >>> 17;
  return state ^ (state << 5);
};

/** One number a call, for setting things up: a state that a closure keeps is slow. */
export const makeDraw = () => {
  let state = 1;
  return () => {
    state = nextDraw(state);
    return state >>> 0;
  };
};
