/** A record of the text index is not of the form that is known here: FTS5 has to be asked. */
export class UnknownForm extends Error {
  constructor(what: string) {
    super(`${what} of the text index is of another form`);
    this.name = "UnknownForm";
  }
}
