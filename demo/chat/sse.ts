/** Longest event that is taken in, in characters: a stream without line ends must not fill the memory. */
const MAX_EVENT_LENGTH = 1024 * 1024;

/** Reads the data of server-sent events, one string an event. Bytes may be cut anywhere, also inside a character or between the CR and the
 *  LF of a line end. A last event without the empty line after it counts: servers forget it. Stopping early cancels the stream.
 *  @throws Error where an event is longer than 1 Mi characters
 *  @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  let length = 0;

  function takeLine(line: string): string | undefined {
    if (line === "") {
      const event = data.length === 0 ? undefined : data.join("\n");
      data = [];
      length = 0;
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field !== "data") return undefined;
    length += value.length;
    data.push(value);
    return undefined;
  }

  try {
    for (let isEnd = false; !isEnd;) {
      const { done, value } = await reader.read();
      isEnd = done;
      rest += decoder.decode(value, { stream: !done });
      // A CR at the very end may be the first half of a line end.
      const end = isEnd || !rest.endsWith("\r") ? rest.length : rest.length - 1;
      const lines = rest.slice(0, end).split(/\r\n|\r|\n/);
      rest = (lines.pop() ?? "") + rest.slice(end);
      for (const line of lines) {
        const event = takeLine(line);
        if (event !== undefined) yield event;
      }
      if (rest.length + length > MAX_EVENT_LENGTH) throw new Error("an event of the stream is too long");
    }
    if (rest !== "") takeLine(rest);
    const last = takeLine("");
    if (last !== undefined) yield last;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
