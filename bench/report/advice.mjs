// docs/choosing.md's table of what advice does to a cold file.
import { formatRatio, withSpread } from '../harness/format.mjs';
import { markdownTable } from './tables.mjs';

const FOR = {
  willneed: 'a range that is needed soon: starts to read it',
  random: 'few, scattered touches of a file too big to keep',
  sequential: 'a scan that must not push other files out',
};

export const adviceTable = ({ advice }) => {
  const at = (name, point) => {
    const { contestants } = advice.points.find((one) => one.point === point);
    return `${withSpread(contestants[name].ratio, formatRatio)} ×`;
  };
  const rows = Object.entries(FOR).map(([name, text]) => [
    `\`${name}\``,
    at(name, 'sequential'),
    at(name, 'random'),
    text,
  ]);
  return markdownTable([['advice', 'front to back', 'places at random', 'for'], ...rows]);
};
