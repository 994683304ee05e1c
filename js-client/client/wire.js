/**
 * The frames of protocol version 1 as the client sees them; docs/protocol.md says what they mean.
 * Only types: nothing loads this module at run time.
 *
 * @typedef {object} Request of the client
 * @property {'join' | 'part' | 'setUserdata' | 'send' | 'match' | 'cancelMatch'} type
 * @property {string} [channel]
 * @property {string} [pool]
 * @property {string} [peer_id]
 * @property {unknown} [userdata]
 * @property {unknown} [data]
 * @property {string} [leave]
 * @property {string} [seat] of the last `joined` of that channel
 *
 * @typedef {object} Relay to another peer
 * @property {'relaySessionDescription' | 'relayICECandidate'} type
 * @property {string} peer_id
 * @property {RTCSessionDescriptionInit} [session_description]
 * @property {RTCIceCandidateInit | null} [ice_candidate]
 * @property {string} [connection_id]
 * @property {number} [attempt]
 *
 * @typedef {object} Welcome
 * @property {'welcome'} type
 * @property {string} peer_id
 * @property {boolean} resumed
 * @property {number} received
 * @property {{ token: string, grace_ms: number }} resume
 * @property {RTCIceServer[]} ice_servers
 * @property {number} heartbeat_ms
 *
 * @typedef {object} Joined
 * @property {'joined'} type
 * @property {string} channel
 * @property {number} peers how many `addPeer` follow
 * @property {string} [seat] brings us back there when the server has started again
 *
 * @typedef {object} Parted
 * @property {'parted'} type
 * @property {string} channel
 * @property {number} [id] absent when nobody asked for it
 *
 * @typedef {object} AddPeer
 * @property {'addPeer'} type
 * @property {string} channel
 * @property {string} peer_id
 * @property {boolean} should_create_offer
 * @property {string} connection_id `<epoch>.<position>`
 * @property {unknown} userdata
 * @property {string} [identity]
 * @property {true} [host]
 *
 * @typedef {object} RemovePeer
 * @property {'removePeer'} type
 * @property {string} channel
 * @property {string} peer_id
 * @property {string} reason
 *
 * @typedef {object} Description
 * @property {'sessionDescription'} type
 * @property {string} peer_id
 * @property {RTCSessionDescriptionInit} session_description
 * @property {string} [connection_id]
 * @property {number} [attempt]
 *
 * @typedef {object} Candidate
 * @property {'iceCandidate'} type
 * @property {string} peer_id
 * @property {RTCIceCandidateInit | null} ice_candidate
 * @property {string} [connection_id]
 * @property {number} [attempt]
 *
 * @typedef {object} Userdata
 * @property {'userdata'} type
 * @property {string} channel
 * @property {string} peer_id
 * @property {unknown} userdata
 *
 * @typedef {object} AppMessage
 * @property {'message'} type
 * @property {string} [peer_id] absent when the server itself speaks
 * @property {string} [channel]
 * @property {unknown} data
 *
 * @typedef {object} IceServers
 * @property {'iceServers'} type
 * @property {RTCIceServer[]} ice_servers
 * @property {number} ttl_ms
 *
 * @typedef {object} Waiting
 * @property {'waiting'} type
 * @property {string} pool
 * @property {number} waiting how many wait in the pool
 *
 * @typedef {object} Matched
 * @property {'matched'} type
 * @property {string} pool
 * @property {string} channel which we are in from now on
 *
 * @typedef {object} MatchEnded
 * @property {'matchEnded'} type
 * @property {string} pool
 * @property {string} reason
 *
 * @typedef {object} Closing
 * @property {'closing'} type
 * @property {number} reconnect_after_ms
 *
 * @typedef {object} ErrorFrame
 * @property {'error'} type
 * @property {string} code
 * @property {string} message
 * @property {string} [channel]
 * @property {string} [pool]
 * @property {string} [peer_id]
 * @property {string} [connection_id]
 */

export {};
