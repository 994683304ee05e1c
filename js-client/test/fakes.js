/** What the tests put in place of the world: a clock, a WebSocket and its server, an RTCPeerConnection, RTCDataChannels. */

/** Lets everything run that waits for nothing but its turn. */
export const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Takes the place of time and chance in this process, until the next one is made. */
export class FakeClock {
  #now = 0;
  #timers = new Map();
  #last = 0;
  chance = 0.5;
  random = () => this.chance;

  constructor() {
    performance.now = () => this.#now;
    Math.random = () => this.random();
    globalThis.setTimeout = (action, delay) => {
      this.#timers.set(++this.#last, { at: this.#now + delay, action });
      return this.#last;
    };
    globalThis.clearTimeout = (timer) => void this.#timers.delete(timer);
  }

  /** In how many milliseconds the next timer is due. */
  get next() {
    return Math.min(...[...this.#timers.values()].map(({ at }) => at)) - this.#now;
  }

  async advance(milliseconds) {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const [due] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].action();
      await settle();
    }
    this.#now = end;
  }
}

/** @returns a WebSocket class that remembers its instances */
export function fakeWebSocket() {
  return class FakeWebSocket {
    /** @type {InstanceType<ReturnType<typeof fakeWebSocket>>[]} */
    static all = [];
    static answersPing = false;
    static get last() {
      return this.all.at(-1);
    }

    readyState = 0;
    sent = [];
    closed = null;

    constructor(url) {
      this.url = url;
      this.constructor.all.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
      if (this.constructor.answersPing && text.includes('"ping"')) this.receive({ type: 'pong' });
    }

    close(code) {
      this.closed = code;
      this.readyState = 3;
    }

    // ---- The other end

    async open() {
      this.readyState = 1;
      this.onopen?.({});
      await settle();
    }

    async receive(...frames) {
      for (const frame of frames) {
        this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
        await settle();
      }
    }

    async welcome(fields = {}) {
      await this.receive({
        type: 'welcome', peer_id: 'me', resumed: false, received: 0, resume: { token: 't1', grace_ms: 15_000 },
        ice_servers: [], heartbeat_ms: 20_000, ...fields,
      });
    }

    async drop(code = 1006, reason = '') {
      this.readyState = 3;
      this.onclose?.({ code, reason });
      await settle();
    }

    /** The frames since the last call, `hello` and `ack` left out. */
    take(...types) {
      const taken = this.sent.filter(({ type }) => (types.length ? types.includes(type) : !['hello', 'ack'].includes(type)));
      this.sent = [];
      return taken;
    }
  };
}

let lastId = 0;

export function fakeTrack(kind) {
  return { kind, id: `${kind}-${++lastId}`, enabled: true };
}

export function fakeStream(...kinds) {
  const tracks = kinds.map(fakeTrack);
  return { id: `stream-${++lastId}`, getTracks: () => tracks };
}

/** Enough of an RTCPeerConnection to negotiate with; its SDP names its ufrag, its certificate and its senders. */
export function fakePeerConnection() {
  return class FakePeerConnection {
    /** @type {InstanceType<ReturnType<typeof fakePeerConnection>>[]} */
    static all = [];
    static get last() {
      return this.all.at(-1);
    }

    signalingState = 'stable';
    connectionState = 'new';
    iceConnectionState = 'new';
    localDescription = null;
    remoteDescription = null;
    candidates = [];
    restarts = 0;
    stats = new Map();
    dataChannels = [];
    #transceivers = [];
    #needed = false;
    #ufrag = 0;

    constructor(configuration) {
      this.configuration = configuration;
      this.constructor.all.push(this);
      this.name = `pc${this.constructor.all.length}`;
    }

    getStats = async () => this.stats;
    getConfiguration = () => this.configuration;
    setConfiguration = (configuration) => (this.configuration = configuration);
    getTransceivers = () => [...this.#transceivers];

    addTransceiver(trackOrKind, { direction = 'sendrecv', streams = [] } = {}) {
      const track = typeof trackOrKind === 'string' ? null : trackOrKind;
      const kind = track?.kind ?? trackOrKind;
      const sender = { track, streams, used: track !== null, replaceTrack: async (next) => void (sender.track = next) };
      const transceiver = { sender, receiver: { track: { kind } }, direction, currentDirection: null, stop: () => {
        transceiver.direction = 'stopped';
        this.#need();
      } };
      this.#transceivers.push(transceiver);
      this.#need();
      return transceiver;
    }

    addTrack(track, ...streams) {
      if (this.#transceivers.some(({ sender }) => sender.track === track)) throw new DOMException('', 'InvalidAccessError');
      const free = this.#transceivers.find(({ sender, receiver }) => !sender.used && receiver.track.kind === track.kind);
      if (!free) return this.addTransceiver(track, { streams }).sender;
      Object.assign(free.sender, { track, streams, used: true });
      free.direction = 'sendrecv';
      this.#need();
      return free.sender;
    }

    removeTrack(sender) {
      sender.track = null;
      this.#transceivers.find((transceiver) => transceiver.sender === sender).direction = 'recvonly';
      this.#need();
    }

    createDataChannel(label, options = {}) {
      const dataChannel = Object.assign(new EventTarget(), {
        label, ...options, readyState: 'connecting', sent: [],
        send: (data) => dataChannel.sent.push(data),
        close: () => (dataChannel.readyState = 'closed'),
        open: () => {
          dataChannel.readyState = 'open';
          dataChannel.onopen?.({});
        },
      });
      this.dataChannels.push(dataChannel);
      this.#need();
      return dataChannel;
    }

    restartIce() {
      this.restarts++;
      this.#ufrag++;
      this.#need();
    }

    async setLocalDescription() {
      const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
      const kinds = this.#transceivers.map(({ receiver }) => receiver.track.kind);
      this.localDescription = { type, sdp: sdp(`${this.name}.${this.#ufrag}`, this.name, kinds) };
      this.#to(type === 'offer' ? 'have-local-offer' : 'stable');
    }

    async setRemoteDescription(description) {
      if (description.sdp === 'rubbish') throw new TypeError('rubbish');
      this.remoteDescription = description;
      const kinds = description.sdp.match(/(?<=^m=)\w+/gm) ?? [];
      for (const kind of kinds.slice(this.#transceivers.length)) {
        this.#transceivers.push(this.addTransceiver(kind, { direction: 'recvonly' }) && this.#transceivers.pop());
      }
      this.#to(description.type === 'offer' ? 'have-remote-offer' : 'stable');
    }

    async addIceCandidate(candidate) {
      this.candidates.push(candidate);
      if (candidate.candidate === 'bad') throw new TypeError('bad');
    }

    close() {
      this.signalingState = this.connectionState = 'closed';
    }

    // ---- The network

    gather(candidate = 'c') {
      this.onicecandidate?.({ candidate: { toJSON: () => ({ candidate, usernameFragment: `${this.name}.${this.#ufrag}` }) } });
    }

    connect(state = 'connected') {
      this.connectionState = state;
      this.onconnectionstatechange?.({});
    }

    #to(state) {
      this.signalingState = state;
      if (state !== 'stable') return;
      this.#needed = false;
      for (const transceiver of this.#transceivers) transceiver.currentDirection = transceiver.direction;
    }

    #need() {
      if (this.#needed) return;
      this.#needed = true;
      queueMicrotask(() => this.signalingState === 'stable' && this.onnegotiationneeded?.({}));
    }
  };
}

export function sdp(ufrag, certificate, kinds = ['audio', 'video']) {
  const lines = kinds.map((kind) => `m=${kind} 9 UDP/TLS/RTP/SAVPF 96\r\n`);
  return `v=0\r\na=ice-ufrag:${ufrag}\r\na=fingerprint:sha-256 ${certificate}\r\n${lines.join('')}`;
}

/** @returns two ends of an RTCDataChannel; what one sends, the other gets in order and a turn later */
export function fakeDataChannels(readyState = 'open') {
  const [one, other] = [new FakeDataChannel(readyState), new FakeDataChannel(readyState)];
  one.other = other;
  other.other = one;
  return [one, other];
}

class FakeDataChannel {
  binaryType = 'blob';
  bufferedAmount = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  /** Everything it has sent, text parsed. */
  sent = [];
  /** The network: gives what arrives instead of what was sent. */
  tamper = (data) => data;

  constructor(readyState) {
    this.readyState = readyState;
  }

  send(data) {
    if (this.readyState !== 'open') throw new DOMException(this.readyState, 'InvalidStateError');
    const isText = typeof data === 'string';
    const copy = isText ? data : new Uint8Array(ArrayBuffer.isView(data) ? data : data.slice(0)).buffer;
    const size = isText ? Buffer.byteLength(data) : copy.byteLength;
    this.sent.push(isText ? JSON.parse(data) : copy);
    this.bufferedAmount += size;
    setImmediate(() => {
      this.bufferedAmount -= size;
      if (this.readyState !== 'closed') this.other.#receive(this.tamper(copy));
    });
  }

  close() {
    if (/^clos/.test(this.readyState)) return;
    this.readyState = 'closing';
    setImmediate(() => this.drop());
  }

  // ---- The network

  open() {
    for (const end of [this, this.other]) end.readyState = 'open';
    for (const end of [this, this.other]) end.onopen?.({});
  }

  drop() {
    for (const end of [this, this.other]) {
      if (end.readyState === 'closed') continue;
      end.readyState = 'closed';
      end.onclose?.({});
    }
  }

  #receive(data) {
    const isBlob = typeof data !== 'string' && this.binaryType === 'blob';
    this.onmessage?.({ data: isBlob ? new Blob([data]) : data });
  }
}

export class FakeMediaStream {
  id = `stream-${++lastId}`;
  #tracks = new Set();

  getTracks = () => [...this.#tracks];
  addTrack = (track) => void this.#tracks.add(track);
  removeTrack = (track) => void this.#tracks.delete(track);
}

/** A track that somebody opened: `stop()` fires no event, `end()` is what happens to it by itself. */
export class FakeSourceTrack extends EventTarget {
  enabled = true;
  readyState = 'live';

  constructor(kind, deviceId) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  getSettings = () => ({ deviceId: this.deviceId });
  stop = () => void (this.readyState = 'ended');

  end() {
    this.stop();
    this.dispatchEvent(new Event('ended'));
    this.onended?.({});
  }
}

/** `navigator.mediaDevices`, with one microphone and two cameras. */
export class FakeMediaDevices {
  devices = { audio: ['mic'], video: ['front', 'back'] };
  /** By kind or device: the name of the error that it cannot be had for. */
  errors = {};
  /** One camera at a time, as on some phones. */
  exclusive = false;
  /** The kinds that the user lets us capture of the screen, or an error. */
  screen = ['video'];
  /** The constraints of each question. */
  asked = [];
  /** @type {FakeSourceTrack[]} */
  opened = [];
  #held = Promise.resolve();

  /** The user takes the time until the function that this returns is called. */
  hold() {
    let release;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  get live() {
    return this.opened.filter(({ readyState }) => readyState === 'live');
  }

  async getUserMedia(constraints) {
    this.asked.push(constraints);
    await this.#held;
    const kinds = ['audio', 'video'].filter((kind) => constraints[kind]);
    return this.#open(kinds.map((kind) => [kind, this.#choose(kind, constraints[kind])]));
  }

  async getDisplayMedia(constraints) {
    this.asked.push(constraints);
    await this.#held;
    if (typeof this.screen === 'string') throw new DOMException('', this.screen);
    return this.#open(this.screen.map((kind) => [kind, 'screen']));
  }

  #choose(kind, { deviceId }) {
    const devices = this.devices[kind];
    if (devices.length === 0) throw new DOMException('', 'NotFoundError');
    const exact = deviceId?.exact;
    if (exact && !devices.includes(exact)) throw new DOMException('', 'OverconstrainedError');
    const device = exact ?? (devices.includes(deviceId) ? deviceId : devices[0]);
    const busy = this.exclusive && this.live.some((track) => track.kind === kind && track.deviceId !== device);
    const error = this.errors[kind] ?? this.errors[device] ?? (busy && 'NotReadableError');
    if (error) throw new DOMException('', error);
    return device;
  }

  #open(chosen) {
    const stream = new FakeMediaStream();
    for (const [kind, device] of chosen) {
      const track = new FakeSourceTrack(kind, device);
      this.opened.push(track);
      stream.addTrack(track);
    }
    return stream;
  }
}
