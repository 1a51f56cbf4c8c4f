/** The text of a log as lines; new text costs what it is long, however long the log is. */

export class Lines {
  version = $state(0); // rises with every change
  private readonly all: string[] = [];
  private isOpen = false; // whether the last line may go on

  /** How many lines there are, the unfinished last one included. */
  get count(): number {
    void this.version;
    return this.all.length;
  }

  /** The lines from `first`, at most `size`. */
  part(first: number, size: number): string[] {
    void this.version;
    return this.all.slice(first, first + size);
  }

  append(text: string): void {
    if (!text) return;
    const pieces = text.split("\n");
    if (this.isOpen) this.all[this.all.length - 1] += pieces.shift() ?? "";
    for (const piece of pieces) this.all.push(piece);
    this.isOpen = !text.endsWith("\n");
    if (!this.isOpen) this.all.pop(); // what stands after the last newline is nothing yet
    this.version++;
  }
}
