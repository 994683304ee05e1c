import { optional, SignalingError } from './errors.js';
import { aborted } from './requests.js';

/**
 * One file over one RTCDataChannel of its own (label `file`, protocol `signal-file`, ordered, reliable).
 *
 * The sender says `{ channel, name, size, type }`, and the receiver accepts with `{ consumed: 0 }`. Then come the
 * chunks, binary, of 64 KiB, and the last of what is left. `{ consumed }` says how many bytes the receiving application
 * has taken, and the sender is never more than the window ahead of it. At last the sender says `{ hash }`, the
 * receiver `{ result: 'done' }`, and the sender closes. Who gives up says `{ result }` and closes.
 *
 * `hash` is the 32 bytes of h, which each chunk makes SHA-256(h + SHA-256(chunk)), and which starts empty: WebCrypto has
 * no streaming SHA-256. A page without `crypto.subtle` (insecure context) sends it empty and compares nothing; then
 * DTLS and the size are all that protects the bytes.
 */

/** What everybody takes in one message, even who does not state a maximum (RFC 8841). */
const CHUNK = 64 * 1024;
/** Far below the 16 MiB of `bufferedAmount` at which Chromium throws. */
const WINDOW = 1024 * 1024;
/** How much is taken before the receiver says so again. */
const CREDIT = WINDOW / 4;

const EMPTY = Promise.resolve(new ArrayBuffer(0));

/** @typedef {{ bytes: number, size: number }} FileProgress */

/**
 * Offers a file, and sends it when it is accepted. Closes the data channel in the end.
 *
 * @param {RTCDataChannel} dataChannel connecting or open
 * @param {Blob} file
 * @param {object} options
 * @param {string} options.channel name of the signaling channel that it is offered in
 * @param {string} [options.name] default: the name of the File
 * @param {AbortSignal} [options.signal] cancels the transfer
 * @param {(progress: FileProgress) => void} [options.onprogress] `bytes` that the other side has taken; 0: has accepted
 * @returns {Promise<void>} resolves when the other side has it all. Rejects with a SignalingError: `declined`,
 *   `cancelled` by the other side, `aborted` by `signal`, `corrupted`, `connection_lost`; or with what reading the file
 *   threw, such as a `NotReadableError` when it has changed on the disk
 */
export function sendFile(dataChannel, file, { channel, name = /** @type {File} */ (file).name, signal, onprogress }) {
  const { size, type } = file;
  let sent = 0;
  let confirmed = 0;
  let wake = () => {};
  /** @type {Promise<void>} */
  let pumping;

  async function pump() {
    let hash = EMPTY;
    while (sent < size) {
      // A receiver that confirms what it does not have must not fill our memory: hence bufferedAmount.
      while (Math.max(sent - confirmed, dataChannel.bufferedAmount) > WINDOW - CHUNK) {
        await new Promise((resolve) => (wake = () => resolve(0)));
      }
      const [chunk] = await Promise.all([file.slice(sent, sent + CHUNK).arrayBuffer(), hash]);
      hash = extend(hash, chunk);
      send(dataChannel, chunk);
      sent += chunk.byteLength;
    }
    send(dataChannel, { hash: encode(await hash) });
  }

  return optional(new Promise((resolve, reject) => {
    const end = attend(dataChannel, signal, (data) => {
      const { consumed, result } = parse(data);
      const bytes = result === 'done' ? size : Number(consumed);
      if (!(bytes >= confirmed && bytes <= sent)) {
        return end(new SignalingError(result === 'declined' || result === 'corrupted' ? result : 'cancelled'));
      }
      if (result) end();
      else pumping ??= pump().catch(end);
      confirmed = bytes;
      wake();
      onprogress?.({ bytes, size });
    }, (error) => (error ? reject(error) : resolve(dataChannel.close())));
    const offer = () => send(dataChannel, { channel, name: name ?? '', size, type });
    dataChannel.onopen = offer;
    dataChannel.onbufferedamountlow = () => wake(); // In Firefox it may fall after the last credit has come.
    offer(); // It may be open already.
  }));
}

/**
 * What the other side offers on a data channel of that protocol. To be called as soon as the channel is there, once.
 *
 * @param {RTCDataChannel} dataChannel
 * @returns {Promise<{ channel: string, file: IncomingFile } | null>} null: rubbish, or it has closed; never rejects
 */
export async function receiveFile(dataChannel) {
  dataChannel.binaryType = 'arraybuffer';
  const { data } = await new Promise((resolve) => (dataChannel.onmessage = dataChannel.onclose = resolve));
  dataChannel.onmessage = dataChannel.onclose = null;
  const { channel, name, size, type } = parse(data);
  if ([channel, name, type].every((text) => typeof text === 'string') && Number.isSafeInteger(size) && size >= 0) {
    return { channel, file: new IncomingFile(dataChannel, { name, size, type }) };
  }
  dataChannel.close();
  return null;
}

/**
 * A file that a peer offers. Nothing of it comes before it is accepted, and then no faster than it is read. What it says
 * of itself is the peer's own claim.
 */
export class IncomingFile {
  /** @type {RTCDataChannel | null} */
  #dataChannel;

  /**
   * @param {RTCDataChannel} dataChannel
   * @param {{ name: string, size: number, type: string }} offer
   */
  constructor(dataChannel, { name, size, type }) {
    this.#dataChannel = dataChannel;
    /**
     * At most 255 UTF-16 units. Path separators, control characters and what makes `gpj.exe` look like `exe.jpg` are
     * replaced by `_`.
     *
     * @readonly
     */
    this.name = name.slice(0, 255).replace(/^\.+$|[\\/\p{Cc}\p{Cs}\p{Bidi_C}]/gu, '_');
    /** In bytes. @readonly */
    this.size = size;
    /** A MIME type, or empty. @readonly */
    this.type = type;
    Object.freeze(this);
  }

  /**
   * Starts the transfer. Read the stream or take the blob, not both; at most 1 MiB waits to be read.
   *
   * The stream ends when everything is there and its hash agrees; until then, what was read may be wrong. It fails with
   * a SignalingError: `aborted` by `signal`, `cancelled` by the sender, `corrupted`, `connection_lost`. To cancel the
   * stream cancels the transfer.
   *
   * @param {object} [options]
   * @param {AbortSignal} [options.signal] cancels the transfer
   * @param {(progress: FileProgress) => void} [options.onprogress] `bytes` that have arrived
   * @returns {{ stream(): ReadableStream<Uint8Array>, blob(): Promise<Blob> }}
   * @throws {SignalingError} `closed`: accepted or declined before
   */
  accept(options = {}) {
    const stream = receive(this.#answer(), this.size, options);
    return { stream: () => stream, blob: () => optional(collect(stream, this.type)) };
  }

  /** The sender gets `declined`. @throws {SignalingError} `closed`: accepted or declined before */
  decline() {
    const dataChannel = this.#answer();
    send(dataChannel, { result: 'declined' });
    dataChannel.close();
  }

  #answer() {
    const dataChannel = this.#dataChannel;
    if (!dataChannel) throw new SignalingError('closed');
    this.#dataChannel = null;
    return dataChannel;
  }
}

/**
 * @param {RTCDataChannel} dataChannel
 * @param {number} size
 * @param {{ signal?: AbortSignal, onprogress?: (progress: FileProgress) => void }} options
 * @returns {ReadableStream<Uint8Array>}
 */
function receive(dataChannel, size, { signal, onprogress }) {
  let received = 0;
  let reported = -CREDIT; // The first pull accepts.
  let hash = EMPTY;
  /** @type {(error?: Error) => void} */
  let end;

  /** @type {UnderlyingDefaultSource<any>} */
  const source = {
    start(controller) {
      end = attend(dataChannel, signal, (data) => {
        if (data instanceof ArrayBuffer) {
          const { byteLength } = data;
          // Nothing but whole chunks: many tiny ones would take far more memory than they count for.
          const isDue = byteLength && byteLength === Math.min(CHUNK, size - received);
          received += byteLength;
          if (!isDue || received - reported > WINDOW) return end(new SignalingError('corrupted'));
          hash = extend(hash, data);
          controller.enqueue(new Uint8Array(data));
          onprogress?.({ bytes: received, size });
        } else {
          const expected = parse(data).hash;
          if (!expected) return end(new SignalingError('cancelled'));
          hash.then((own) => {
            const agrees = !own || !expected.length || String(expected) === String(encode(own));
            end(agrees && received === size ? undefined : new SignalingError('corrupted'));
          });
        }
      }, (error) => (error ? controller.error(error) : controller.close()));
    },
    async pull(controller) {
      await hash; // What waits to be hashed is as much a burden as what waits to be read.
      const consumed = received - WINDOW + (controller.desiredSize ?? 0);
      if (consumed - reported >= CREDIT) send(dataChannel, { consumed: (reported = consumed) });
    },
    cancel: () => end(new SignalingError('cancelled')),
  };
  return new ReadableStream(source, { highWaterMark: WINDOW, size: (chunk) => chunk.length });
}

/** @param {ReadableStream<any>} stream @param {string} type */
async function collect(stream, type) {
  /** @type {Blob[]} */
  const parts = [];
  // Not a Response: in Chromium its blob() hides why the stream failed. And a Blob need not stay in memory.
  await stream.pipeTo(new WritableStream({ write: (chunk) => void parts.push(new Blob([chunk])) }));
  return new Blob(parts, { type });
}

/**
 * What both sides watch until the transfer is over.
 *
 * @param {RTCDataChannel} dataChannel
 * @param {AbortSignal | undefined} signal
 * @param {(data: unknown) => void} receive
 * @param {(error?: Error) => void} finish called once
 * @returns {(error?: any) => void} ends it
 */
function attend(dataChannel, signal, receive, finish) {
  let isOver = false;
  /** @param {any} [error] */
  const end = (error) => {
    if (isOver) return;
    isOver = true;
    signal?.removeEventListener('abort', abort);
    dataChannel.onopen = dataChannel.onbufferedamountlow = dataChannel.onmessage = dataChannel.onclose = null;
    send(dataChannel, { result: error ? error.code : 'done' });
    if (error) dataChannel.close(); // Otherwise the sender does, when it has our last word.
    finish(error);
  };
  const abort = () => end(aborted(/** @type {AbortSignal} */ (signal)));
  dataChannel.onmessage = ({ data }) => receive(data);
  dataChannel.onclose = () => end(new SignalingError('connection_lost'));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  if (/^clos/.test(dataChannel.readyState)) end(new SignalingError('connection_lost'));
  return end;
}

/** @param {RTCDataChannel} dataChannel @param {ArrayBuffer | object} data binary, or what becomes JSON */
function send(dataChannel, data) {
  if (dataChannel.readyState !== 'open') return; // `onopen` or `onclose` is to come.
  dataChannel.send(data instanceof ArrayBuffer ? data : /** @type {any} */ (JSON.stringify(data)));
}

/** @param {unknown} data untrusted @returns {any} */
function parse(data) {
  try {
    return JSON.parse(/** @type {string} */ (data)) ?? {};
  } catch {
    return {};
  }
}

/** @param {Promise<ArrayBuffer>} hash @param {ArrayBuffer} chunk */
async function extend(hash, chunk) {
  const own = digest(chunk); // Before anybody else gets hold of the chunk.
  return digest(Uint8Array.of(...encode(await hash), ...encode(await own)));
}

/** @param {BufferSource} data */
async function digest(data) {
  return crypto.subtle?.digest('SHA-256', data);
}

/** @param {ArrayBuffer} hash */
function encode(hash) {
  return [...new Uint8Array(hash)];
}
