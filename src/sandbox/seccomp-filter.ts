import { absentCalls, checkedCalls, forbiddenCalls, reviewed, type SyscallNumbers } from './seccomp-syscalls.js';

export type SeccompArch = 'x64' | 'arm64';
/** Of this processor; undefined: there is no filter for it. */
export const seccompArch = (): SeccompArch | undefined => (process.arch === 'x64' || process.arch === 'arm64' ? process.arch : undefined);

// linux/bpf_common.h, linux/seccomp.h, linux/audit.h
const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const RETURN = 0x06; // BPF_RET | BPF_K
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const IF_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuse = (errno: number): number => 0x00050000 | errno;
const EPERM = refuse(1);
const ENOSYS = refuse(38);
const EAFNOSUPPORT = refuse(97);
const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

// struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. Both architectures are little-endian: low half first.
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

const CLONE_NEW_ANY = 0x7e020000; // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const AF_UNIX = 1;
const MSG_FASTOPEN = 0x20000000;
/** Second byte of every request to a socket: addresses and devices of its network namespace. */
const SOCKET_REQUEST = 0x8900;
// asm-generic/socket.h
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SO_PEERGROUPS = 59;
const SO_NETNS_COOKIE = 71;
const SO_PEERPIDFD = 77;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];
/** What happens from this number on up to the next segment. */
interface Segment {
  readonly from: number;
  readonly code: readonly Instruction[];
}

const returning = (value: number): readonly Instruction[] => [[RETURN, 0, 0, value]];

/** Refuses a call whose flags, its argument `index`, would connect a socket while sending. */
const withoutFastOpen = (index: number): readonly Instruction[] => [
  [LOAD, 0, 0, argument(index)],
  [IF_ANY_BIT, 0, 1, MSG_FASTOPEN],
  ...returning(EPERM),
  ...returning(ALLOW),
];

const checks: Readonly<Record<keyof typeof checkedCalls, readonly Instruction[]>> = {
  clone: [[LOAD, 0, 0, argument(0)], [IF_ANY_BIT, 0, 1, CLONE_NEW_ANY], ...returning(EPERM), ...returning(ALLOW)],
  ioctl: [
    [LOAD, 0, 0, argument(1)],
    [IF_EQUAL, 4, 0, TIOCSTI],
    [IF_EQUAL, 3, 0, TIOCLINUX],
    [AND, 0, 0, 0xff00],
    [IF_EQUAL, 1, 0, SOCKET_REQUEST],
    ...returning(ALLOW),
    ...returning(EPERM),
  ],
  // There is no network; and AF_VSOCK, which no network namespace confines, would reach the hypervisor of the machine.
  socket: [[LOAD, 0, 0, argument(0)], [IF_EQUAL, 0, 1, AF_UNIX], ...returning(ALLOW), ...returning(EAFNOSUPPORT)],
  // Sizes and waiting times. Others name devices of the machine, hand out its processes, or give the socket a name.
  setsockopt: [
    [LOAD, 0, 0, argument(2)],
    [IF_EQUAL, 4, 0, SO_SNDBUF],
    [IF_EQUAL, 3, 0, SO_RCVBUF],
    [IF_EQUAL, 2, 0, SO_RCVTIMEO],
    [IF_EQUAL, 1, 0, SO_SNDTIMEO],
    ...returning(EPERM),
    ...returning(ALLOW),
  ],
  sendto: withoutFastOpen(3),
  sendmsg: withoutFastOpen(2),
  sendmmsg: withoutFastOpen(3),
  getsockopt: [
    [LOAD, 0, 0, argument(2)],
    [IF_EQUAL, 3, 0, SO_PEERGROUPS],
    [IF_EQUAL, 2, 0, SO_NETNS_COOKIE],
    [IF_EQUAL, 1, 0, SO_PEERPIDFD],
    ...returning(ALLOW),
    ...returning(EPERM),
  ],
};

/**
 * The filter of system calls as bytes of struct sock_filter[]. Another architecture (32-bit calls on a
 * 64-bit kernel) kills the process; numbers that nobody reviewed, so those of x32 and of newer kernels too, do not exist (ENOSYS).
 */
export function seccompFilter(arch: SeccompArch): Buffer {
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCH],
    [IF_EQUAL, 1, 0, AUDIT_ARCH[arch]],
    ...returning(KILL_PROCESS),
    [LOAD, 0, 0, NUMBER],
    ...decide(segmentsOf(arch)),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}

function segmentsOf(arch: SeccompArch): readonly Segment[] {
  const column = arch === 'x64' ? 0 : 1;
  const special = new Map<number, readonly Instruction[]>();
  const put = (calls: Readonly<Record<string, SyscallNumbers>>, code: (name: string) => readonly Instruction[]): void => {
    for (const [name, numbers] of Object.entries(calls)) {
      if (numbers[column] >= 0) special.set(numbers[column], code(name));
    }
  };
  put(forbiddenCalls, () => returning(EPERM));
  put(absentCalls, () => returning(ENOSYS));
  put(checkedCalls, (name) => checks[name as keyof typeof checks]);

  const segments: Segment[] = [{ from: 0, code: returning(ENOSYS) }];
  const append = (from: number, code: readonly Instruction[]): void => {
    const last = segments.at(-1);
    if (last !== undefined && JSON.stringify(last.code) === JSON.stringify(code)) return;
    if (last?.from === from) segments.pop();
    segments.push({ from, code });
  };
  for (const [first, last] of reviewed[arch]) {
    for (let number = first; number <= last; number++) append(number, special.get(number) ?? returning(ALLOW));
    append(last + 1, returning(ENOSYS));
  }
  return segments;
}

/** A binary search over the segments; a linear list would cost every system call some hundred steps. */
function decide(segments: readonly Segment[]): readonly Instruction[] {
  const [only] = segments;
  if (segments.length === 1 && only !== undefined) return only.code;
  const middle = segments.length >> 1;
  const low = decide(segments.slice(0, middle));
  const high = decide(segments.slice(middle));
  // A jump reaches 255 instructions; the table is far smaller, and this would be a fault of ours at start, not of a job.
  if (low.length > 255) throw new RangeError('The seccomp filter is too large for its jumps');
  return [[IF_AT_LEAST, low.length, 0, segments[middle]?.from ?? 0], ...low, ...high];
}
