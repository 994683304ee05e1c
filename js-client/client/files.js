import { optional, SignalingError } from './errors.js';
import { CHUNK, MAX_BUFFERED, WINDOW } from './limits.js';
import { aborted } from './requests.js';

/**
 * One file over one RTCDataChannel of its own (label `file`, protocol `signal-file`, ordered, reliable).
 *
 * The sender says `{ channel, name, size, type }`. `{}` from the receiver asks for one more chunk: accepting asks for a
 * window of them, and reading one for the next. Chunks are binary, of 64 KiB, and the last is what is left. Who asks for
 * more than that gets `{ hash }`, and says `{ result: 'done' }`. Who gives up says `{ result }`, a code. Whoever has said
 * so closes.
 *
 * `hash` is the 32 bytes of h, which each chunk makes SHA-256(h + SHA-256(chunk)), and which starts empty: WebCrypto has
 * no streaming SHA-256. In an insecure context it has none at all, and h stays empty: then nothing is compared.
 */

/**
 * @typedef {{ bytes: number, size: number }} FileProgress
 *
 * @typedef {object} FileOptions
 * @property {(progress: FileProgress) => void} [onprogress] `bytes` that have come, or were sent: at most 1 MiB more than
 *   the other side has read
 *
 * @typedef {object} IncomingFile nothing of it comes before it is accepted, and then no faster than it is read. What it
 *   says of itself is the peer's own claim
 * @property {string} name at most 255 UTF-16 units; path separators, control and other invisible characters are `_`
 * @property {number} size in bytes
 * @property {string} type a MIME type, or empty
 * @property {(options?: FileOptions) => { stream(): ReadableStream<Uint8Array>, blob(): Promise<Blob> }} accept starts
 *   the transfer, once. Read the stream or take the blob, not both; at most 1 MiB waits to be read. The stream ends when
 *   everything is there and its hash agrees; until then, what was read may be wrong. It fails with a SignalingError:
 *   `cancelled` by the sender, `declined`, `corrupted`, `connection_lost`. To cancel it declines the file
 * @property {() => void} decline at any time, even half-way: the sender gets `declined`
 */

/**
 * Offers a file, and sends it when it is accepted. Closes the data channel in the end.
 *
 * @param {RTCDataChannel} dataChannel a new one
 * @param {Blob} file
 * @param {object} options
 * @param {string} options.channel name of the signaling channel that it is offered in
 * @param {string} [options.name] default: the name of the File
 * @param {AbortSignal} [options.signal] cancels the transfer
 * @param {FileOptions['onprogress']} [options.onprogress]
 * @returns {Promise<void>} resolves when the other side has it all. Rejects with a SignalingError: `declined`,
 *   `aborted` by `signal`, `corrupted`, `connection_lost`; or with what reading the file threw, such as a
 *   `NotReadableError` when it has changed on the disk
 */
export function sendFile(dataChannel, file, { channel, name = /** @type {File} */ (file).name, signal, onprogress }) {
  const { size } = file;
  return attend(dataChannel, signal, () => {
    let sent = 0;
    /** @type {number[]} */
    let hash = [];
    let sending = Promise.resolve();
    dataChannel.onopen = () => say(dataChannel, { channel, name, size, type: file.type });
    return () => (sending = sending.then(async () => {
      const chunk = await file.slice(sent, (sent += CHUNK)).arrayBuffer();
      if (!chunk.byteLength) return say(dataChannel, { hash });
      // Who asks for more than it takes must not fill our memory.
      if (dataChannel.bufferedAmount > MAX_BUFFERED) throw new SignalingError('cancelled');
      hash = await extend(hash, chunk);
      dataChannel.send(chunk);
      onprogress?.({ bytes: Math.min(sent, size), size });
    }));
  });
}

/**
 * Hears what the other side offers on a data channel of that protocol. To be called as soon as the channel is there.
 *
 * @param {RTCDataChannel} dataChannel
 * @param {(channel: string, file: IncomingFile) => unknown} offer untrusted; returns nothing for a channel not shared
 */
export function receiveFile(dataChannel, offer) {
  const over = attend(dataChannel, undefined, (end) => {
    let due = 0;
    let received = 0;
    /** @type {any} */
    let file;
    /** @type {number[] | Promise<number[]>} */
    let hash = [];
    /** @type {FileOptions['onprogress']} */
    let tell;
    /** @type {ReadableStreamDefaultController<Uint8Array>} */
    let controller;

    const decline = () => end('declined');
    /** @param {FileOptions} options */
    function accept({ onprogress } = {}) {
      tell = onprogress;
      const stream = new ReadableStream({
        start: (its) => void (controller = its),
        pull() {
          for (; due < /** @type {number} */ (controller.desiredSize); due++) say(dataChannel, {});
        },
        cancel: decline,
      }, { highWaterMark: WINDOW });
      over.then(() => {
        if (received < file.size) throw new SignalingError('corrupted');
        controller.close();
      }).catch((error) => controller.error(error));
      return { stream: () => stream, blob: () => optional(collect(stream, file.type)) };
    }

    return async (frame) => {
      if (!file) {
        const { channel, name = '', size, type } = frame;
        file = {
          // Path separators, and what makes `gpj.exe` look like `exe.jpg`.
          name: String(name).slice(0, 255).replace(/[\\/\p{C}]/gu, '_'),
          size: Number(size), type: String(type), accept, decline,
        };
        if (!offer(channel, file)) decline();
      } else if (frame.byteLength && frame.byteLength === Math.min(CHUNK, file.size - received) && due-- > 0) {
        received += frame.byteLength;
        hash = extend(hash, frame);
        controller.enqueue(new Uint8Array(frame));
        tell?.({ bytes: received, size: file.size });
      } else {
        const isSame = !crypto.subtle || ['', String(await hash)].includes(String(frame.hash));
        end(isSame ? 'done' : 'corrupted');
      }
    };
  });
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
 * What both sides do until the transfer is over.
 *
 * @param {RTCDataChannel} dataChannel
 * @param {AbortSignal | undefined} signal
 * @param {(end: (result: string, error?: unknown) => void) => (frame: any) => unknown} begin
 *   returns what hears the frames
 * @returns {Promise<void>}
 */
function attend(dataChannel, signal, begin) {
  const over = new AbortController();
  return optional(new Promise((resolve, reject) => {
    /** @param {string} result @param {unknown} [error] */
    const end = (result, error = new SignalingError(result)) => {
      over.abort();
      say(dataChannel, { result });
      dataChannel.close();
      result === 'done' ? resolve() : reject(error);
    };
    const hear = begin(end);
    const abort = () => end('cancelled', aborted(/** @type {AbortSignal} */ (signal)));
    signal?.addEventListener('abort', abort, { signal: over.signal });
    if (signal?.aborted) abort();
    dataChannel.binaryType = 'arraybuffer';
    dataChannel.onclose = () => end('connection_lost');
    dataChannel.onmessage = async ({ data }) => {
      try {
        const frame = typeof data === 'string' ? JSON.parse(data) : data;
        if (frame.result) end(frame.result);
        else await hear(frame);
      } catch (error) {
        end('cancelled', error);
      }
    };
  }));
}

/** @param {RTCDataChannel} dataChannel @param {object} frame */
function say(dataChannel, frame) {
  if (dataChannel.readyState === 'open') dataChannel.send(JSON.stringify(frame));
}

/** @param {number[] | Promise<number[]>} hash @param {ArrayBuffer} chunk */
async function extend(hash, chunk) {
  const own = digest(chunk); // Before anybody else gets hold of the chunk.
  return digest(Uint8Array.of(...await hash, ...await own));
}

/** @param {BufferSource} data */
async function digest(data) {
  return [...new Uint8Array(await crypto.subtle?.digest('SHA-256', data))];
}
