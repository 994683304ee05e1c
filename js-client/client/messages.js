import { SignalingError } from './errors.js';

/** In bytes. So that every message fits through the server too, as base64 and with what the wire adds. */
const MAX_MESSAGE = 48_000;
/** What may wait for the peer to confirm it: more means that it takes nothing. */
const MAX_WAITING = 1_024;
const MAX_WAITING_BYTES = 8 << 20;
const CONFIRM_AFTER = 16;
/** Messages in a channel in which the server has not introduced the peer yet. */
const MAX_EARLY = 64;

/**
 * @typedef {object} Frame
 * @property {number} of when the sender began to count: tells its messages from those of an earlier connection
 * @property {number} n counts the messages of the sender, from 1
 * @property {string} channel
 * @property {unknown} [data]
 * @property {true | string} [binary] instead of `data`: the bytes come next, or stand here as base64
 *
 * @typedef {{ n: number, text: string, bytes: ArrayBuffer | null, size: number }} Waiting
 */

/**
 * What the application says to one peer and hears from it, whatever channels they share: each message once and in
 * order. A message goes over the data channel, or through the server as long as none is open, and is kept until the
 * peer has confirmed it. So a new data channel begins with what the peer may not have got, and the numbers tell what
 * came twice.
 */
export class Messages {
  #host;
  #of = Date.now();
  #sent = 0;
  /** @type {Waiting[]} */
  #waiting = [];
  #waitingBytes = 0;

  #peerOf = 0;
  #received = 0;
  /** Of the binary message that comes next. @type {Frame | null} */
  #header = null;
  /** @type {[channel: string, data: unknown][]} */
  #early = [];

  /** @type {RTCDataChannel | undefined} */
  #dataChannel;
  /** Whether both sides have said over this data channel what they have. */
  #agreed = false;

  /**
   * @param {object} host
   * @param {(channel: string, data: unknown) => boolean} host.deliver false: the peer is not known in that channel
   * @param {(frame: Frame) => Promise<void>} host.relay
   * @param {(event: string, detail?: unknown) => void} host.debug
   */
  constructor(host) {
    this.#host = host;
  }

  /** In place of the connection before, if any. @param {RTCPeerConnection} connection */
  attach(connection) {
    const dataChannel = connection.createDataChannel('signal', { negotiated: true, id: 0 });
    dataChannel.binaryType = 'arraybuffer';
    dataChannel.onopen = () => {
      const next = this.#sent + 1 - this.#waiting.length;
      this.#write({ of: this.#of, next, to: this.#peerOf, received: this.#received });
    };
    dataChannel.onmessage = ({ data }) => this.#guard(() => this.#hear(data));
    dataChannel.onclose = () => {
      if (dataChannel === this.#dataChannel) this.#agreed = false;
    };
    this.#dataChannel = dataChannel;
    this.#agreed = false;
    this.#header = null;
  }

  /** @param {string} channel @param {unknown} data */
  async send(channel, data) {
    const bytes = copyOfBytes(data);
    const n = this.#sent + 1;
    /** @type {Frame} */
    const frame = { of: this.#of, n, channel, ...(bytes ? { binary: true } : { data }) };
    const text = JSON.stringify(frame);
    const size = bytes?.byteLength ?? new TextEncoder().encode(text).length;
    if (size > MAX_MESSAGE) throw new SignalingError('too_large', `more than ${MAX_MESSAGE} bytes`);
    // Who never said a word is perhaps none of us, and has what the server brought.
    if (this.#isFull && !this.#peerOf) this.#confirmed(n - this.#waiting.length);
    if (this.#isFull) throw new SignalingError('queue_full', 'the peer takes nothing');

    this.#sent = n;
    this.#waitingBytes += size;
    const message = { n, text, bytes, size };
    this.#waiting.push(message);
    if (this.#agreed) this.#transmit(message);
    else await this.#host.relay(bytes ? { ...frame, binary: toBase64(bytes) } : frame);
  }

  /** What came through the server. @param {any} frame */
  receive(frame) {
    this.#guard(() => this.#take(frame, frame.binary ? fromBase64(frame.binary) : frame.data));
  }

  /** The peer is known in one more channel. */
  introduced() {
    for (const [channel, data] of this.#early.splice(0)) this.#deliver(channel, data);
  }

  /** Rubbish is the peer's fault, and must not throw here. @param {() => void} take */
  #guard(take) {
    try {
      take();
    } catch (error) {
      this.#host.debug('rubbish', error);
    }
  }

  // ---- The data channel

  /** @param {string | ArrayBuffer} data */
  #hear(data) {
    const header = this.#header;
    this.#header = null;
    if (typeof data !== 'string') return header && this.#take(header, data);
    const frame = JSON.parse(data);
    if (frame.next) this.#agree(frame);
    else if (frame.confirm) this.#confirmed(frame.confirm);
    else if (frame.binary) this.#header = frame;
    else this.#take(frame, frame.data);
  }

  /** The first frame of each side. @param {{ of: number, next: number, to: number, received: number }} frame */
  #agree({ of, next, to, received }) {
    this.#meet(of);
    if (next - 1 > this.#received) this.#received = next - 1;
    if (to === this.#of) this.#confirmed(received);
    this.#agreed = true;
    for (const message of this.#waiting) this.#transmit(message);
  }

  /** @param {Waiting} message */
  #transmit({ text, bytes }) {
    this.#dataChannel?.send(text);
    if (bytes) this.#dataChannel?.send(bytes);
  }

  /** @param {object} frame */
  #write(frame) {
    if (this.#dataChannel?.readyState === 'open') this.#dataChannel.send(JSON.stringify(frame));
  }

  // ---- Counting

  /** @param {Frame} frame @param {unknown} data */
  #take({ of, n, channel }, data) {
    this.#meet(of);
    // Any other number has come already, or overtook what the data channel will bring.
    if (of !== this.#peerOf || n !== this.#received + 1) return;
    this.#received = n;
    if (n % CONFIRM_AFTER === 0) this.#write({ confirm: n });
    this.#deliver(channel, data);
  }

  /** The peer may have given up its connection with us, and count anew. @param {number} of */
  #meet(of) {
    if (!(of > this.#peerOf)) return;
    this.#peerOf = of;
    this.#received = 0;
  }

  /** @param {number} last what the peer has, up to this number */
  #confirmed(last) {
    while (this.#waiting[0] && this.#waiting[0].n <= last) this.#waitingBytes -= this.#waiting.shift()?.size ?? 0;
  }

  get #isFull() {
    return this.#waiting.length >= MAX_WAITING || this.#waitingBytes >= MAX_WAITING_BYTES;
  }

  /** @param {string} channel @param {unknown} data */
  #deliver(channel, data) {
    if (!this.#host.deliver(channel, data) && this.#early.length < MAX_EARLY) this.#early.push([channel, data]);
  }
}

/** What the application does with its buffer afterwards is no concern of ours. @param {any} data */
function copyOfBytes(data) {
  if (data instanceof ArrayBuffer) return data.slice(0);
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer : null;
}

/** @param {ArrayBuffer} bytes */
function toBase64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
