// A session with the server: one WebSocket after the other, over which each frame takes effect exactly once.
// The sections are those of /protocol.md.

/** These belong to the socket: never counted, kept or sent again (section 10). */
const UNCOUNTED = ['hello', 'welcome', 'ack', 'ping', 'pong', 'bye', 'closing'];
/** So many counted frames, or so long after the first of them, are acknowledged (section 10). */
const ACK_FRAMES = 32;
const ACK_MS = 1_000;
/** A socket is lost that is not open after so long, or on which nothing answers a `ping` (section 12). */
const ANSWER_MS = 5_000;
/** So is one on which `welcome` does not come so long after it is open. */
const WELCOME_MS = 10_000;
/** One that has lived for so long was a good one: the tries to come back begin anew. */
const GOOD_MS = 5_000;
/** After these the session is over and a client stops (section 14). */
const FINAL = [4001, 4003, 4004, 4006];
/** After these it is over too, and a client begins a new one after 5 s (section 14). */
const AFRESH = [1009, 4005, 4013];

export class Session {
  #url;
  #on;
  /** @type {WebSocket | null} */ #socket = null;
  #isWelcome = false;
  /** The last `welcome`. */ #welcome = { heartbeat_ms: 20_000, resume: { token: '', grace_ms: 0 } };
  /** Counted frames that have arrived, and how many of them the server knows of. */ #received = 0;
  #acknowledged = 0;
  /** How many of our counted frames have arrived, and those after them. */ #delivered = 0;
  /** @type {string[]} */ #kept = [];
  #tries = 0;
  #comeBackAfter = 0;
  #welcomedAt = 0;
  #lostAt = 0;
  #ackTimer = 0;
  /** Of what comes next if nothing comes from the server. */ #timer = 0;

  /**
   * @param {URL} url
   * @param {{ welcome(message: any): void, message(message: any): void, frame(direction: 'C>' | 'S>', text: string): void,
   *   lost(): void, end(reason: string): void }} on
   */
  constructor(url, on) {
    this.#url = url.href.replace(/^http/, 'ws');
    this.#on = on;
    this.#open();
  }

  /** Sends now, or when the socket is back. @param {object} message */
  send(message) {
    const frame = JSON.stringify(message);
    this.#kept.push(frame);
    if (this.#isWelcome) this.#write(frame);
  }

  /** Finds out whether the socket still works: after a silence, and when the page wakes up (section 12). */
  ping() {
    if (!this.#isWelcome) return;
    this.#write('{"type":"ping"}');
    this.#after(ANSWER_MS, () => this.#lose(1006, ''));
  }

  /** Ends the session without grace; the server closes with 1000. */
  bye() {
    if (this.#isWelcome) this.#write('{"type":"bye"}');
    this.#drop();
  }

  // Section 4: `hello` is the first frame, and after one with `resume` nothing is sent before `welcome`.
  #open() {
    const socket = this.#socket = new WebSocket(this.#url, 'signal.v1');
    const { token } = this.#welcome.resume;
    const resume = token ? { token, received: this.#received } : undefined;
    socket.onopen = () => {
      this.#write(JSON.stringify({ type: 'hello', version: 1, resume }));
      this.#after(WELCOME_MS, () => this.#lose(1006, ''));
    };
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = ({ code, reason }) => this.#lose(code, reason);
    this.#after(ANSWER_MS, () => this.#lose(1006, ''));
  }

  /** @param {string} frame */
  #write(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    this.#on.frame('C>', frame);
  }

  /** @param {string} frame */
  #read(frame) {
    const message = JSON.parse(frame);
    this.#on.frame('S>', frame);
    // Section 12: pages do not see the pings of the server, so they send their own after too long a silence.
    this.#after(1.25 * this.#welcome.heartbeat_ms, () => this.ping());
    if (!UNCOUNTED.includes(message.type)) {
      this.#count();
      this.#on.message(message);
    }
    if (message.type === 'welcome') this.#begin(message);
    if (message.type === 'ack') this.#forget(message.received);
    if (message.type === 'closing') this.#comeBackAfter = message.reconnect_after_ms;
  }

  // Section 11: go on where the other side stopped hearing us, or begin anew.
  #begin(welcome) {
    this.#welcome = welcome;
    this.#isWelcome = true;
    this.#welcomedAt = performance.now();
    if (welcome.resumed) {
      this.#forget(welcome.received);
      this.#acknowledged = this.#received;
    } else {
      [this.#received, this.#acknowledged, this.#delivered, this.#kept] = [0, 0, 0, []];
    }
    for (const frame of this.#kept) this.#write(frame);
    this.#on.welcome(welcome);
  }

  /** @param {number} received of ours, since the session began */
  #forget(received) {
    this.#kept.splice(0, received - this.#delivered);
    this.#delivered = received;
  }

  #count() {
    this.#received += 1;
    if (this.#received - this.#acknowledged >= ACK_FRAMES) this.#acknowledge();
    else this.#ackTimer ||= setTimeout(() => this.#acknowledge(), ACK_MS);
  }

  #acknowledge() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = 0;
    if (!this.#isWelcome || this.#acknowledged === this.#received) return;
    this.#acknowledged = this.#received;
    this.#write(JSON.stringify({ type: 'ack', received: this.#received }));
  }

  // Sections 12 and 14: what the close code means, and when to come back.
  #lose(code, reason) {
    const wasGood = this.#isWelcome && performance.now() - this.#welcomedAt > GOOD_MS;
    this.#drop();
    if (FINAL.includes(code)) return this.#on.end(reason);
    this.#on.lost();
    if (AFRESH.includes(code)) this.#welcome.resume.token = '';
    if (wasGood || this.#tries === 0) [this.#tries, this.#lostAt] = [0, performance.now()];
    const { grace_ms } = this.#welcome.resume;
    const cap = performance.now() - this.#lostAt < grace_ms ? Math.min(2_000, grace_ms / 6) : 15_000;
    const most = this.#tries === 0 ? 300 : Math.min(cap, 500 * 2 ** (this.#tries - 1));
    const least = AFRESH.includes(code) ? 5_000 : this.#comeBackAfter;
    this.#after(least + Math.random() * most, () => this.#open());
    this.#tries += 1;
    this.#comeBackAfter = 0;
  }

  #drop() {
    if (this.#socket) this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket?.close();
    this.#socket = null;
    this.#isWelcome = false;
    clearTimeout(this.#timer);
  }

  /** @param {number} ms @param {() => void} action */
  #after(ms, action) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }
}
