import { optional, SignalingError } from './errors.js';
import { CONFIRM_AFTER, MAX_EARLY, MAX_FRAME, MAX_WAITING } from './limits.js';

/**
 * @typedef {object} Frame
 * @property {number} of when the sender began to count: tells its messages from those of an earlier connection
 * @property {number} n counts the messages of the sender, from 1
 * @property {string} channel
 * @property {unknown} [data]
 * @property {string} [binary] instead of `data`: base64
 */

/**
 * What the application says to one peer and hears from it, whatever channels they share: each message once and in
 * order. A message goes over the data channel, or through the server as long as none is open, and is kept until the
 * peer has confirmed it. So a new data channel begins with what the peer may not have got, and the numbers tell what
 * came twice.
 *
 * A side confirms by `{ of, to, received }`: what it has of the peer that began to count at `to`. It does so every 16
 * messages, the way they came, and in its first frame on a data channel.
 */
export class Messages {
  #host;
  #of = Date.now();
  #sent = 0;
  /** The last ones, as frames. @type {string[]} */
  #waiting = [];
  #waitingSize = 0;

  #peerOf = 0;
  #received = 0;
  /** @type {[channel: string, data: unknown][]} */
  #early = [];

  /** The present one, once the peer has said over it what it has. @type {RTCDataChannel | undefined} */
  #dataChannel;

  /**
   * @param {object} host
   * @param {(channel: string, data: unknown) => unknown} host.deliver nothing: the peer is not known in that channel
   * @param {(frame: object) => Promise<void>} host.relay through the server
   * @param {(event: string, detail?: unknown) => void} host.debug
   */
  constructor(host) {
    this.#host = host;
  }

  /** In place of the connection before, if any. @param {RTCPeerConnection} connection */
  attach(connection) {
    const dataChannel = connection.createDataChannel('signal', { negotiated: true, id: 0 });
    this.#dataChannel = undefined;
    dataChannel.onopen = () => this.#confirm(dataChannel);
    dataChannel.onmessage = ({ data }) => this.receive(data, dataChannel);
  }

  /** @param {string} channel @param {any} data */
  async send(channel, data) {
    const isBinary = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
    /** @type {Frame} */
    const frame = { of: this.#of, n: this.#sent + 1, channel, ...(isBinary ? { binary: toBase64(data) } : { data }) };
    const text = JSON.stringify(frame);
    if (new Blob([text]).size > MAX_FRAME) throw new SignalingError('too_large');
    if (this.#waitingSize > MAX_WAITING) {
      if (this.#peerOf) throw new SignalingError('queue_full');
      this.#confirmed(frame.n - this.#waiting.length); // Perhaps none of us, and has what the server brought.
    }
    this.#sent++;
    this.#waitingSize += text.length;
    this.#waiting.push(text);
    if (this.#dataChannel?.readyState === 'open') this.#dataChannel.send(text);
    else await this.#host.relay(frame);
  }

  /** @param {any} frame untrusted @param {RTCDataChannel} [dataChannel] without: came through the server */
  receive(frame, dataChannel) {
    try {
      const { of, n, channel, data, binary, to, received } = dataChannel ? JSON.parse(frame) : frame;
      // The peer may have given up its connection with us, and count anew.
      if (of > this.#peerOf) [this.#peerOf, this.#received] = [of, 0];
      if (!n) {
        if (to === this.#of) this.#confirmed(received);
        if (!dataChannel || dataChannel === this.#dataChannel) return;
        this.#dataChannel = dataChannel;
        for (const text of this.#waiting) dataChannel.send(text);
      } else if (of === this.#peerOf && (dataChannel ? n > this.#received : n === this.#received + 1)) {
        // Through the server, only the next: another one overtook what the data channel will bring.
        this.#received = n;
        if (n % CONFIRM_AFTER === 0) this.#confirm(dataChannel);
        this.#deliver(channel, binary == null ? data : fromBase64(binary));
      }
    } catch (error) {
      this.#host.debug('rubbish', error);
    }
  }

  /** The peer is known in one more channel. */
  introduced() {
    for (const [channel, data] of this.#early.splice(0)) this.#deliver(channel, data);
  }

  /** @param {RTCDataChannel} [dataChannel] without: through the server */
  #confirm(dataChannel) {
    const frame = { of: this.#of, to: this.#peerOf, received: this.#received };
    if (dataChannel?.readyState === 'open') dataChannel.send(JSON.stringify(frame));
    else optional(this.#host.relay(frame));
  }

  /** @param {number} last what the peer has, up to this number */
  #confirmed(last) {
    for (const text of this.#waiting.splice(0, last - this.#sent + this.#waiting.length)) this.#waitingSize -= text.length;
  }

  /** @param {string} channel @param {unknown} data */
  #deliver(channel, data) {
    if (!this.#host.deliver(channel, data) && this.#early.length < MAX_EARLY) this.#early.push([channel, data]);
  }
}

/** @param {any} data an ArrayBuffer, or a view of one */
function toBase64(data) {
  const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset, data.byteLength);
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
