export { Channel } from './client/channel.js';
export { Client } from './client/client.js';
export { connect } from './client/connect.js';
export { SignalingError } from './client/errors.js';
export { LocalMedia } from './client/local-media.js';
export { Peer } from './client/peer.js';
export { SignalingChannel } from './client/signaling-channel.js';
