import type { ChatRole } from "../../src/contracts/chat.ts";

export interface ModelTurn {
  role: ChatRole;
  text: string;
}

export interface ModelSession {
  id: string;
  title: string | null;
  turns: ModelTurn[];
}

/** Chat sessions as a list, the most recently active first, to hold the real ones against. */
export class ChatModel {
  sessions: ModelSession[] = [];

  create(id: string, title: string | null): void {
    this.sessions.unshift({ id, title, turns: [] });
  }

  /** The session at a place of the list; undefined where there is none. */
  at(place: number): ModelSession | undefined {
    return this.sessions.length === 0 ? undefined : this.sessions[place % this.sessions.length];
  }

  append(session: ModelSession, turns: readonly ModelTurn[]): void {
    session.turns.push(...turns);
    if (turns.length === 0) return;
    this.remove(session);
    this.sessions.unshift(session);
  }

  remove(session: ModelSession): void {
    this.sessions = this.sessions.filter((one) => one !== session);
  }

  /** Turns that hold one of the words and none of the others: session and number of each, sorted. */
  matching(words: readonly string[], excluded: readonly string[], role?: ChatRole, id?: string): string[] {
    const found: string[] = [];
    for (const session of this.sessions) {
      if (id !== undefined && session.id !== id) continue;
      for (const [index, turn] of session.turns.entries()) {
        if (role !== undefined && turn.role !== role) continue;
        const held = turn.text.split(" ");
        if (!words.some((word) => held.includes(word)) || excluded.some((word) => held.includes(word))) continue;
        found.push(`${session.id} ${index}`);
      }
    }
    return found.sort();
  }
}
