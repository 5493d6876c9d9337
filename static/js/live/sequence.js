// Messages are numbered; a hole means that something was missed. Pure.

export class Order {
  /** @type {number | null} */
  #last = null;

  /**
   * A snapshot: everything up to its number is known.
   * @param {number} seq
   */
  begin(seq) {
    this.#last = seq;
  }

  /**
   * Note a message; false if one before it is missing.
   * @param {number} seq
   */
  follows(seq) {
    const inOrder = this.#last !== null && seq === this.#last + 1;
    this.#last = seq;
    return inOrder;
  }
}
