/** A signaling channel in a fake world; the tests play the server. */
import { SignalingChannel } from '../client/signaling-channel.js';
import { FakeClock, fakeWebSocket, settle } from './fakes.js';

let hosts = 0;

export async function start(options = {}, url = `ws://host${++hosts}/signal`) {
  const clock = new FakeClock();
  const WebSocket = fakeWebSocket();
  const signaling = new SignalingChannel(url, { WebSocket, ...options });
  await settle();
  return { clock, WebSocket, signaling, socket: () => WebSocket.last };
}

export async function connected(options, url) {
  const context = await start(options, url);
  await context.socket().open();
  await context.socket().welcome();
  return context;
}

export async function reconnect({ clock, socket }, welcome, code = 1006) {
  await socket().drop(code);
  await clock.advance(300);
  await socket().open();
  if (welcome) await socket().welcome(welcome);
}
