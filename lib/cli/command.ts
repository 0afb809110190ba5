import { type ParseArgsConfig } from 'node:util';

/** Where output goes. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly columns: number;
}

/** What a command found. */
export interface Outcome {
  /** For `--json`. */
  readonly report: unknown;
  /** For people. */
  readonly text: string;
  readonly failed?: boolean;
}

export interface Command {
  readonly usage: string;
  readonly options: ParseArgsConfig['options'];
  /** How many words it takes, beside its options. */
  readonly words: number;
  readonly run: (
    words: readonly string[],
    options: Readonly<Record<string, unknown>>,
    columns: number,
  ) => Outcome | Promise<Outcome>;
}

/** Something that the user has to hear, without a stack. */
export class Refusal extends Error {
  readonly usage: boolean;

  constructor(message: string, { usage = false }: { readonly usage?: boolean } = {}) {
    super(message);
    this.usage = usage;
  }
}
