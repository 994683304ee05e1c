/**
 * A signaling server that can be restarted and still knows who its clients were: docs/protocol.md, as far as two pages in
 * a call need it. Sessions end with their socket; it never resumes one, and acknowledges each frame at once.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const CLIENT = new URL('../js-client/', import.meta.url);
const BLANK = '<link rel="icon" href="data:,">';
const CLIENT_FILE = /^\/client(\/[a-z-]+)?\.js$/;

/** Frames of the socket, not of the session. */
const UNCOUNTED = new Set(['hello', 'ack', 'ping', 'bye']);

/** What becomes of a relay. */
const RELAYS = {
  relaySessionDescription: ['sessionDescription', 'session_description'],
  relayICECandidate: ['iceCandidate', 'ice_candidate'],
};

/**
 * @typedef {{ id: string, socket: import('ws').WebSocket, received: number }} Peer
 * @typedef {{ peer: Peer, userdata: unknown }} Member
 * @typedef {{ channel: string, id: string, peers: [Peer, Peer] }} Introduction
 */

export class ScriptedServer {
  /** Connection ids of what was relayed since the last start. @type {string[]} */
  relayed = [];
  /** Errors that were sent, ever. @type {object[]} */
  refused = [];
  port = 0;

  /** Who had a token, over all restarts: token -> peer id. @type {Map<string, string>} */
  #tokens = new Map();
  /** @type {import('node:http').Server | null} */
  #http = null;
  #sockets = new WebSocketServer({ noServer: true });
  #epoch = '';
  #joins = 0;
  /** @type {Map<string, Member[]>} */
  #channels = new Map();
  /** @type {Introduction[]} */
  #introductions = [];

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens, always on the same port, and knows of no channel. */
  async start() {
    this.relayed = [];
    this.#epoch = randomBytes(4).toString('hex');
    this.#joins = 0;
    this.#http = createServer((request, response) => serve(request, response));
    this.#http.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted));
    });
    await once(this.#http.listen(this.port, '127.0.0.1'), 'listening');
    this.#http.unref();
    this.port = this.#http.address().port;
  }

  /** Breaks all sockets and refuses new ones; repeatable. */
  async stop() {
    if (!this.#http?.listening) return;
    this.#channels.clear();
    this.#introductions = [];
    for (const socket of this.#sockets.clients) socket.terminate();
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  /** @param {{ forget?: boolean }} [options] `forget`: clients that come back get another peer id */
  async restart({ forget = false } = {}) {
    await this.stop();
    if (forget) this.#tokens.clear();
    await this.start();
  }

  // ---- Sessions

  /** @param {import('ws').WebSocket} socket */
  #accept(socket) {
    /** @type {Peer | null} */
    let peer = null;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (peer) this.#receive(peer, frame);
      else peer = this.#welcome(socket, frame);
    });
    socket.on('close', () => peer && this.#partAll(peer, 'timeout'));
  }

  #welcome(socket, { resume }) {
    const token = randomBytes(8).toString('hex');
    const peer = { id: this.#tokens.get(resume?.token) ?? randomBytes(16).toString('base64url'), socket, received: 0 };
    this.#tokens.set(token, peer.id);
    send(peer, {
      type: 'welcome', peer_id: peer.id, resumed: false, received: 0, resume: { token, grace_ms: 15_000 },
      ice_servers: [], heartbeat_ms: 20_000,
    });
    return peer;
  }

  /** @param {Peer} peer @param {any} frame */
  #receive(peer, frame) {
    const { type, id, channel } = frame;
    switch (type) {
      case 'join': this.#join(peer, frame); break;
      case 'part': this.#part(peer, channel, 'parted', id); break;
      case 'setUserdata': this.#setUserdata(peer, frame); break;
      case 'send': this.#message(peer, frame); break;
      case 'ping': send(peer, { type: 'pong' }); break;
      case 'bye': this.#partAll(peer, 'bye'); peer.socket.close(1000); break;
      default: if (type in RELAYS) this.#relay(peer, frame);
    }
    if (!UNCOUNTED.has(type)) send(peer, { type: 'ack', received: ++peer.received });
  }

  // ---- Channels

  #join(peer, { id, channel, userdata = null }) {
    const members = this.#channels.get(channel) ?? [];
    this.#channels.set(channel, [...members, { peer, userdata }]);
    const connectionId = `${this.#epoch}.${++this.#joins}`;
    send(peer, { type: 'joined', id, channel, peers: members.length });
    for (const member of members) {
      this.#introductions.push({ channel, id: connectionId, peers: [peer, member.peer] });
      const introduce = (to, whom, offers) => send(to, {
        type: 'addPeer', channel, peer_id: whom.peer.id, should_create_offer: offers, connection_id: connectionId,
        userdata: whom.userdata,
      });
      introduce(peer, member, true);
      introduce(member.peer, { peer, userdata }, false);
    }
  }

  #part(peer, channel, reason, id) {
    if (reason === 'parted') send(peer, { type: 'parted', id, channel });
    this.#channels.set(channel, (this.#channels.get(channel) ?? []).filter((member) => member.peer !== peer));
    const isOver = (introduction) => introduction.channel === channel && introduction.peers.includes(peer);
    const over = this.#introductions.filter(isOver);
    this.#introductions = this.#introductions.filter((introduction) => !isOver(introduction));
    for (const { peers } of over) {
      for (const [to, whom] of [peers, [...peers].reverse()]) {
        send(to, { type: 'removePeer', channel, peer_id: whom.id, reason });
      }
    }
  }

  #partAll(peer, reason) {
    for (const channel of this.#channels.keys()) this.#part(peer, channel, reason);
  }

  #setUserdata(peer, { id, channel, userdata }) {
    const own = this.#channels.get(channel)?.find((member) => member.peer === peer);
    if (!own) return this.#refuse(peer, { id, code: 'not_joined', channel });
    own.userdata = userdata;
    for (const to of this.#known(peer, channel)) send(to, { type: 'userdata', channel, peer_id: peer.id, userdata });
    send(peer, { type: 'ok', id });
  }

  // ---- From peer to peer

  #message(peer, { id, channel, peer_id, data }) {
    const to = this.#known(peer, channel).filter((other) => channel !== undefined || other.id === peer_id);
    if (channel === undefined && to.length === 0) return this.#refuse(peer, { id, code: 'unknown_peer', peer_id });
    for (const other of to) send(other, { type: 'message', peer_id: peer.id, channel, data });
    send(peer, { type: 'ok', id });
  }

  #relay(peer, frame) {
    const { peer_id, connection_id, attempt, id } = frame;
    const shared = this.#introductions.filter(({ peers }) =>
      peers.includes(peer) && peers.some((other) => other !== peer && other.id === peer_id));
    if (shared.length === 0) return this.#refuse(peer, { id, code: 'unknown_peer', peer_id, connection_id });
    const introduction = shared.find((one) => connection_id === undefined || one.id === connection_id);
    if (!introduction) return this.#refuse(peer, { id, code: 'stale_connection', peer_id, connection_id });
    const [type, key] = RELAYS[frame.type];
    const to = introduction.peers.find((other) => other !== peer);
    send(to, { type, peer_id: peer.id, [key]: frame[key], connection_id, attempt });
    this.relayed.push(connection_id);
    if (id !== undefined) send(peer, { type: 'ok', id });
  }

  /** Whom a peer has been introduced to, in this channel or in any. */
  #known(peer, channel) {
    return this.#introductions
      .filter((one) => one.peers.includes(peer) && (channel === undefined || one.channel === channel))
      .map(({ peers }) => peers.find((other) => other !== peer));
  }

  #refuse(peer, error) {
    this.refused.push(error);
    send(peer, { type: 'error', message: error.code, ...error });
  }
}

/** @param {Peer} peer @param {object} frame */
function send({ socket }, frame) {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
}

/** The client's files, and an empty page for any other address. */
async function serve({ url }, response) {
  const isScript = CLIENT_FILE.test(url);
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
  response.end(isScript ? await readFile(fileURLToPath(new URL(`.${url}`, CLIENT))) : BLANK);
}
