/** The signaling part of the JS client in Node.js, without a browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { before } from 'node:test';
import { WebSocket } from 'ws';

import { SignalingChannel } from '../../js-client/client.js';
import { buildServer, startServer } from '../server.js';

before(() => buildServer(), { timeout: 15 * 60_000 });

test('two programs meet, speak, and survive a cut socket', { timeout: 30_000 }, async () => {
  const server = await startServer();
  try {
    const sockets = [];
    class CutSocket extends WebSocket {
      constructor(url) {
        super(url);
        sockets.push(this);
      }
    }
    const url = new URL('/signal', server.url);
    const ann = new SignalingChannel(url, { WebSocket: CutSocket });
    const bob = new SignalingChannel(url, { WebSocket });
    assert.equal((await ann.request({ type: 'join', channel: 'room' })).peers, 0);
    const met = next(ann, 'addPeer');
    assert.equal((await bob.request({ type: 'join', channel: 'room', userdata: 'Bob' })).peers, 1);
    const { peer_id, should_create_offer, userdata } = await met;
    assert.deepEqual([peer_id, should_create_offer, userdata], [bob.peerId, false, 'Bob']);

    const back = next(ann, 'welcome');
    sockets[0].terminate();
    await bob.request({ type: 'send', peer_id: ann.peerId, data: 'while you were away' });
    const heard = next(ann, 'message');
    assert.equal((await back).resumed, true);
    assert.equal((await heard).data, 'while you were away');

    const candidate = next(bob, 'iceCandidate');
    ann.relay({ type: 'relayICECandidate', peer_id, ice_candidate: { candidate: '' } });
    assert.deepEqual((await candidate).ice_candidate, { candidate: '' });

    const gone = next(bob, 'removePeer');
    ann.close();
    assert.equal((await gone).reason, 'bye');
    bob.close();
  } finally {
    await server.stop();
  }
});

/** The next message of that type. */
async function next(signaling, type) {
  const [{ message }] = await once(signaling, type);
  return message;
}
