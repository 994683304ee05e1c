/** A TCP proxy before a server, to cut sockets that carry a WebSocket. Pages are opened through its url. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * @typedef {object} Proxy
 * @property {string} url
 * @property {(again?: Again) => number} cut breaks every WebSocket, without a close frame, and says how many those were.
 *   `again`: each page's next socket is cut too, before the server has heard of it (`handshake`), or when the server has
 *   taken it and the page does not know yet (`welcome`)
 * @property {boolean} isClosed sends everybody away who comes while it is true
 * @property {() => void} stop
 *
 * @typedef {'handshake' | 'welcome'} Again
 */

/**
 * @param {number} port of the server, on this machine
 * @returns {Promise<Proxy>}
 */
export async function startProxy(port) {
  /** @type {Set<Pipe>} */
  const pipes = new Set();
  /** @type {Again[]} */
  const due = [];
  const server = createServer({ noDelay: true }, (socket) => {
    if (proxy.isClosed) {
      socket.destroy();
      return;
    }
    const pipe = new Pipe(socket, port, () => due.shift());
    pipes.add(pipe);
    pipe.onend = () => pipes.delete(pipe);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A proxy that a test forgot to stop must not keep the test file from ending.
  server.unref();

  /** @type {Proxy} */
  const proxy = {
    url: `http://127.0.0.1:${server.address().port}`,
    cut(again) {
      const carrying = [...pipes].filter(({ carriesWebSocket }) => carriesWebSocket);
      if (again) due.push(...carrying.map(() => again));
      for (const pipe of carrying) pipe.cut();
      return carrying.length;
    },
    stop() {
      server.close();
      for (const pipe of pipes) pipe.cut();
    },
    isClosed: false,
  };
  return proxy;
}

class Pipe {
  carriesWebSocket = false;
  onend = () => {};
  #page;
  #server;
  #next;
  #isWelcomeDoomed = false;
  #hasSaidHello = false;

  /** @param {import('node:net').Socket} socket @param {number} port @param {() => Again | undefined} next */
  constructor(socket, port, next) {
    this.#page = socket;
    this.#next = next;
    this.#server = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#page.on('data', (chunk) => this.#fromPage(chunk));
    this.#server.on('data', (chunk) => this.#fromServer(chunk));
    for (const end of [this.#page, this.#server]) {
      end.unref();
      end.on('error', () => {}); // `close` follows
      end.on('close', () => this.cut());
    }
  }

  cut() {
    this.#page.destroy();
    this.#server.destroy();
    this.onend();
  }

  /** @param {Buffer} chunk */
  #fromPage(chunk) {
    if (this.carriesWebSocket) {
      this.#hasSaidHello = true;
    } else if (/^upgrade: websocket\r$/im.test(chunk.toString('latin1'))) {
      this.carriesWebSocket = true;
      const again = this.#next();
      if (again === 'handshake') return this.cut();
      this.#isWelcomeDoomed = again === 'welcome';
    }
    this.#server.write(chunk);
  }

  /** @param {Buffer} chunk */
  #fromServer(chunk) {
    if (this.#isWelcomeDoomed && this.#hasSaidHello) return this.cut();
    this.#page.write(chunk);
  }
}
