/** A value that is sent and never shown: in commands it is the variable `name` of the shell. */
export class Secret {
  readonly name: string;

  constructor(
    of: string, // what it is, as `password`
    readonly value: string,
  ) {
    this.name = of.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase().replace(/[^A-Z0-9]+/g, "_");
  }

  toJSON(): string {
    return this.value;
  }
}

/** A secret, or nothing where none was written: what is stored stays. */
export const secretOf = (of: string, value: string): Secret | undefined => (value ? new Secret(of, value) : undefined);
