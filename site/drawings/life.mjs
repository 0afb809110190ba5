import { arrow, drawing, labelled, lines, text } from './svg.mjs';

/** What becomes of a mapping from mmap() to munmap(2). */
export const life = () =>
  drawing({
    width: 860,
    height: 520,
    title:
      "A mapping's life: mapped, by unmap() unmapped at once or decommitted first while something can reach its address, and then unmapped",
    parts: [
      text(250, 24, 'mmap(), attach()', 'code middle'),
      arrow('M250 34 V70'),
      labelled(150, 78, 200, 70, ['mapped'], 'page'),
      lines(376, 106, 22, ['users > 0 or ops > 0', 'sync, advise, read, resize …'], 'soft'),
      arrow('M210 148 V402'),
      lines(40, 236, 22, ['unmap(), and no', 'buffer of it was', 'ever made'], 'soft'),
      arrow('M310 148 C310 200 480 190 480 232', 'change'),
      lines(
        506,
        176,
        22,
        [
          'unmap(), while a moved buffer, a',
          'SharedArrayBuffer, or an object that',
          'a job may hold can reach the address',
        ],
        'soft',
      ),
      labelled(380, 240, 200, 70, ['decommitted'], 'write'),
      lines(
        606,
        262,
        22,
        ['only pins: the file is let go,', 'late readers see zeros,', 'the address stays taken'],
        'soft',
      ),
      arrow('M480 310 C480 372 330 352 312 402', 'change'),
      text(506, 366, 'the last finalizer', 'soft'),
      labelled(150, 410, 200, 70, ['unmapped']),
      lines(376, 438, 22, ['users = ops = pins = 0:', 'munmap(2)'], 'soft'),
    ],
  });
