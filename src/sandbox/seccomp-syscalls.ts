/**
 * System calls by number, from the kernel's tables (asm/unistd_64.h and asm-generic/unistd.h of Linux 6.1). The first column is x86_64,
 * the second aarch64. A call is in one of three states: refused below, not reviewed
 * (outside of `reviewed`, so whatever newer kernels add), or allowed.
 */
export type SyscallNumbers = readonly [x64: number, arm64: number];

/** The architecture does not have that call. */
const NONE = -1;

/** Answered with EPERM: nothing that computes needs them, and each has been part of an escape or shows or changes the host. */
export const forbiddenCalls = {
  // mounts and roots
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  sysfs: [139, NONE],
  ustat: [136, NONE],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  swapon: [167, 224],
  swapoff: [168, 225],
  // handles go past the mount namespace
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // namespaces; clone is looked at by its flags
  unshare: [272, 97],
  setns: [308, 268],
  // other processes
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // the standard streams and channels of a job are sockets, unnamed ones, of the network namespace of the daemon: these would reach into it
  bind: [49, 200],
  connect: [42, 203],
  listen: [50, 201],
  // the kernel itself
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  create_module: [174, NONE],
  get_kernel_syms: [177, NONE],
  query_module: [178, NONE],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  syslog: [103, 116],
  acct: [163, 89],
  lookup_dcookie: [212, 18],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  nfsservctl: [180, 42],
  _sysctl: [156, NONE],
  vserver: [236, NONE],
  afs_syscall: [183, NONE],
  tuxcall: [184, NONE],
  security: [185, NONE],
  getpmsg: [181, NONE],
  putpmsg: [182, NONE],
  vhangup: [153, 58],
  // key rings are shared with the session of the daemon
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // old and odd corners of the processor
  iopl: [172, NONE],
  ioperm: [173, NONE],
  modify_ldt: [154, NONE],
  personality: [135, 92],
  uselib: [134, NONE],
  remap_file_pages: [216, 234],
  // clocks and names of the host
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  // memory placement, and what tells which files of the host are in memory
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  set_mempolicy_home_node: [450, 450],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  mincore: [27, 232],
  vmsplice: [278, 75],
  // makes every disk of the host flush
  sync: [162, 81],
  syncfs: [306, 267],
} as const satisfies Record<string, SyscallNumbers>;

/**
 * Answered with ENOSYS, as by a kernel that lacks them, because libraries then fall back to something that can be checked (clone for
 * clone3, whose flags a filter cannot see; threads for io_uring) or that is counted (files in the size-limited /tmp for memory that
 * belongs to no process).
 */
export const absentCalls = {
  clone3: [435, 435],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_setup: [206, 0],
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  shmdt: [67, 197],
  msgget: [68, 186],
  semget: [64, 190],
  mq_open: [240, 180],
} as const satisfies Record<string, SyscallNumbers>;

/** Allowed only with harmless arguments. */
export const checkedCalls = {
  clone: [56, 220],
  ioctl: [16, 29],
  socket: [41, 198],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  // sending may connect a socket (MSG_FASTOPEN), also one whose connection is over
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
} as const satisfies Record<string, SyscallNumbers>;

/** First and last number of each stretch that was gone through for this table. */
export const reviewed: { readonly x64: readonly (readonly [number, number])[]; readonly arm64: readonly (readonly [number, number])[] } = {
  x64: [
    [0, 334],
    [424, 450],
  ],
  arm64: [
    [0, 243],
    [260, 294],
    [424, 450],
  ],
};
