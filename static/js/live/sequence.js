// Messages are numbered; a hole means that something was missed. Pure.

export class Order {
  #last = null;

  /** A snapshot: everything up to its number is known. */
  begin(seq) {
    this.#last = seq;
  }

  /** Note a message; false if one before it is missing. */
  follows(seq) {
    const inOrder = this.#last !== null && seq === this.#last + 1;
    this.#last = seq;
    return inOrder;
  }
}
