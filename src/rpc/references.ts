import type { StorageError } from "../errors.ts";
import type { Lease } from "./call-scope.ts";
import { fillHoles, type ResolveReference } from "./decode.ts";
import { Encoder, type ReferenceKind } from "./encoder.ts";
import { fromWireError, toWireError } from "./error-wire.ts";
import { ExportedObject, ExportedSignal, ImportedSignal } from "./exported.ts";
import { findMember } from "./member-lookup.ts";
import { type Post, ROOT_ID } from "./peer-link.ts";
import type { ReferenceMessage, WireHole, WireReference } from "./protocol.ts";
import { ReferenceTable } from "./reference-table.ts";
import { type CallRemote, originOf, remoteFunction, remoteObject, RemoteTarget } from "./remote-object.ts";
import { rpcError } from "./rpc-error.ts";
import { RemoteStream, StreamReader } from "./stream-reader.ts";
import { StreamSource } from "./stream-source.ts";
import { unsendable } from "./uncloneable.ts";

/** What references need of their peer. */
export interface ReferenceOptions {
  /** What the other side may call from the start. */
  root: object | undefined;
  call: CallRemote;
  /** A lent function is over: nobody awaits its calls any more. */
  abandon: (target: RemoteTarget) => void;
}

/** Encodes one message. `undo` takes back the references that were made for it. */
export interface Encoding {
  encoder: Encoder;
  undo: () => void;
}

/**
 * What each side holds of the other: functions, objects, streams and signals. Both tables are keyed by ids of the side
 * that owns the object. A reference ends with its call ({@link Lease}), or earlier when the holder has collected it.
 */
export class References {
  readonly call: CallRemote;
  readonly #post: Post;
  readonly #root: ExportedObject | undefined;
  readonly #abandon: (target: RemoteTarget) => void;
  readonly #exports = new ReferenceTable();
  readonly #imports = new ReferenceTable();
  readonly #collected: FinalizationRegistry<number>;
  #nextId = ROOT_ID + 1;
  #ended = false;

  constructor(post: Post, { root, call, abandon }: ReferenceOptions) {
    this.#post = post;
    this.#root = root === undefined ? undefined : new ExportedObject(root, undefined);
    this.call = call;
    this.#abandon = abandon;
    this.#collected = new FinalizationRegistry((id) => {
      if (!this.#imports.has(id)) return;
      this.#imports.remove(id);
      this.#post({ lode: "release", id });
    });
  }

  get exported(): number {
    return this.#exports.size;
  }

  get imported(): number {
    return this.#imports.size;
  }

  get ended(): boolean {
    return this.#ended;
  }

  newId(): number {
    return this.#nextId++;
  }

  end(lost: StorageError): void {
    this.#ended = true;
    this.#imports.clear(lost);
    this.#exports.clear(lost);
  }

  /** The object behind an id that the other side calls. */
  target(id: number): ExportedObject | undefined {
    if (id === ROOT_ID) return this.#root;
    const exported = this.#exports.get(id);
    return exported instanceof ExportedObject ? exported : undefined;
  }

  encoder(lease: () => Lease): Encoding {
    const made: number[] = [];
    return {
      encoder: new Encoder((value, kind, owner) => this.#export(value, kind, owner, lease, made)),
      undo: () => {
        for (const id of made) this.#exports.remove(id);
      },
    };
  }

  resolver(lease: () => Lease): ResolveReference {
    return (reference) => this.#import(reference, lease);
  }

  /** Releases the references of an answer that nobody takes. */
  refuse(holes: readonly WireHole[] | undefined): void {
    for (const { reference } of holes ?? []) {
      if (reference.kind !== "error" && reference.kind !== "yours") this.#post({ lode: "release", id: reference.id });
    }
  }

  receive(message: ReferenceMessage): void {
    switch (message.lode) {
      case "abort": {
        const mirror = this.#imports.get(message.id);
        if (mirror instanceof ImportedSignal) mirror.abort(fromWireError(message.reason));
        return;
      }
      case "release":
        return this.#exports.remove(message.id);
      case "pull":
      case "stop":
        return this.#serveReader(message);
      case "batch":
      case "stopped":
        return this.#feedReader(message);
    }
  }

  #serveReader(message: Extract<ReferenceMessage, { lode: "pull" | "stop" }>): void {
    const source = this.#exports.get(message.id);
    if (!(source instanceof StreamSource)) {
      if (message.lode === "stop") this.#post({ lode: "stopped", id: message.id });
    } else if (message.lode === "stop") source.stop();
    else source.pull(message.count);
  }

  #feedReader(message: Extract<ReferenceMessage, { lode: "batch" | "stopped" }>): void {
    const reader = this.#imports.get(message.id);
    const outcome = message.error === undefined ? {} : { error: fromWireError(message.error) };
    if (!(reader instanceof StreamReader) || (message.lode === "batch" && !reader.isOpen)) {
      if (message.lode === "batch") this.refuse(message.holes);
    } else if (message.lode === "stopped") reader.stopped(outcome);
    else {
      try {
        const resolver = this.resolver(() => reader.lease);
        const items = fillHoles(message.items, message.holes, resolver) as unknown[];
        reader.deliver(items, message.end ? outcome : undefined);
      } catch (error) {
        reader.deliver([], { error: rpcError("BAD_FORMAT", "next", "a batch is damaged", error) });
      }
    }
  }

  #export(
    value: object,
    kind: ReferenceKind,
    owner: object | undefined,
    leaseOf: () => Lease,
    made: number[],
  ): WireReference {
    if (kind === "error") return { kind, error: toWireError(value) };
    const origin = originOf(value);
    if (origin?.call === this.call && !origin.anchor.target.ended)
      return { kind: "yours", id: origin.anchor.target.id, method: origin.method };
    const id = this.newId();
    const lease = leaseOf();
    made.push(id);
    switch (kind) {
      case "stream":
        this.#exports.add(id, this.#streamSource(id, value as AsyncIterable<unknown>, lease), lease);
        return { kind, id };
      case "signal": {
        const signal = value as AbortSignal;
        lease.scope.signals.push(signal);
        this.#exports.add(id, new ExportedSignal(id, signal, this.#post), lend(lease));
        return signal.aborted ? { kind, id, aborted: toWireError(signal.reason) } : { kind, id };
      }
      case "function":
      case "object":
        this.#exports.add(id, new ExportedObject(value, owner), lease);
        return { kind: origin === undefined ? kind : "object", id };
    }
  }

  #streamSource(id: number, iterable: AsyncIterable<unknown>, lease: Lease): StreamSource {
    return new StreamSource(id, iterable, {
      post: this.#post,
      newEncoder: () => this.encoder(() => lease).encoder,
      cloneFailure: (error, items) =>
        unsendable(
          "INVALID_INPUT",
          "next",
          items.map((item) => ["an item of the stream", item]),
          error,
        ),
      over: (over) => this.#exports.remove(over),
    });
  }

  #import(reference: WireReference, leaseOf: () => Lease): unknown {
    switch (reference.kind) {
      case "error":
        return fromWireError(reference.error);
      case "yours":
        return this.#own(reference.id, reference.method);
      case "signal": {
        const mirror = new ImportedSignal();
        if (reference.aborted !== undefined) mirror.abort(fromWireError(reference.aborted));
        this.#imports.add(reference.id, mirror, lend(leaseOf()));
        return mirror.signal;
      }
      case "stream": {
        const lease = leaseOf();
        const over = (id: number): void => this.#imports.remove(id);
        const reader = new StreamReader(reference.id, { post: this.#post, over }, lease);
        this.#imports.add(reference.id, reader, lease);
        const stream = new RemoteStream(reader);
        this.#collected.register(stream, reference.id);
        return stream;
      }
      case "function":
      case "object": {
        const isFunction = reference.kind === "function";
        const target: RemoteTarget = new RemoteTarget(reference.id, () => {
          if (isFunction) this.#abandon(target);
        });
        this.#imports.add(reference.id, target, leaseOf());
        const anchor = { target };
        this.#collected.register(anchor, reference.id);
        return (isFunction ? remoteFunction : remoteObject)(this.call, anchor);
      }
    }
  }

  /** An object of this side that comes back. */
  #own(id: number, path: string): unknown {
    const object = this.target(id)?.object;
    if (object === undefined) throw rpcError("TRANSACTION", path, "an object that was passed is not held any more");
    if (path === "") return object;
    const found = findMember(object, path);
    if (typeof found?.member !== "function") return found?.member;
    return originOf(found.member) === undefined
      ? (found.member as (...args: unknown[]) => unknown).bind(found.self)
      : found.member;
  }
}

/** Signals end with the call even when they are in its answer: nothing says when they are not needed any more. */
function lend({ scope }: Lease): Lease {
  return { scope, given: false };
}
