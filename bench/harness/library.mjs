/** Thrown by the setup of a contestant that cannot be measured in this runtime or on this machine: the table says why. */
export class Unavailable extends Error {
  name = 'Unavailable';
}

/** The library as it is published: `npm run prepare` makes it. */
export const library = () => import('../../dist/index.js');

/** The library, where the runtime can make a SharedArrayBuffer over a mapping. */
export const libraryWithShared = async () => {
  const all = await library();
  if (!all.supports('sharedBuffer')) throw new Unavailable('this runtime has no external SharedArrayBuffers');
  return all;
};
