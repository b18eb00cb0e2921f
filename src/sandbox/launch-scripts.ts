/**
 * Three small POSIX shell scripts, constant text: whatever differs from job to job comes in as a positional parameter and is never read as
 * code. They run one after the other in one process: BUILD makes the tree, ENTER goes into it, INIT is process 1 of the job.
 */

/**
 * $1 folder to build on (any existing one; the mount is private), $2 options of the scratch tmpfs, $3 folders and $4 empty files to make,
 * one a line and relative to $1, $5 and $6 mount tables of BUILD and ENTER; then the program to go on with.
 * The root is a tmpfs of mount points; outputs, /tmp and /dev/shm share one scratch tmpfs, so one size bounds them all.
 */
export const BUILD = `set -euf
stage=$1 scratch=$2 folders=$3 files=$4 build=$5 enter=$6
shift 6
umask 0
mount -t tmpfs -o mode=0755,size=4m,nosuid,nodev,noexec dt-stage "$stage"
cd "$stage"
mount -t tmpfs -o X-mount.mkdir,mode=0755,size=1m,nosuid,nodev,noexec dt-root "$stage/root"
mount -t tmpfs -o "X-mount.mkdir,$scratch" dt-scratch "$stage/scratch"
IFS='
'
mkdir -p $folders
umask 022
for file in $files; do : > "./$file"; done
printf 'job:x:65534:65534:job:/tmp:/bin/false\n' > root/etc/passwd
printf 'job:x:65534:\n' > root/etc/group
printf 'passwd: files\ngroup: files\nhosts: files\n' > root/etc/nsswitch.conf
printf '%s' "$build" > build.fstab
printf '%s' "$enter" > enter.fstab
mount -a -T "$stage/build.fstab"
cd /
exec "$@"
`;

/**
 * $1 folder that BUILD built on; then the program to go on with, as seen from inside. Runs as process 1 of new namespaces.
 * No user namespace can be made below the next one: that closes the way by which most kernel faults are reached.
 * /proc shows this pid namespace and nothing of the machine.
 */
export const ENTER = `set -euf
stage=$1
shift
echo 1 > /proc/sys/user/max_user_namespaces
hostname job
mount -a -T "$stage/enter.fstab"
cd "$stage/new"
pivot_root . sys
PATH=/sys/usr/sbin:/sys/usr/bin:/sys/sbin:/sys/bin
umount -l /sys
cd /job
exec "$@"
`;

/**
 * The operator's command. Process 1 of the job: says that all is set up, waits for leave to start (so that limits and evidence are in
 * place before the first instruction of a guest), runs the operator as a child, hands SIGTERM to every process of the namespace, and by
 * its own end makes the kernel kill what is left. Standard input closed before leave is given: the daemon is gone, so nothing runs.
 * Descriptor 3 is the operator's standard error; 2 is that of the programs around it, whose words are not the operator's.
 */
export const INIT = `[ $$ -eq 1 ] || exit 97
PATH=/usr/bin:/bin
unset PWD OLDPWD SHLVL
echo ready
IFS= read -r go || exit 98
told=
trap 'told=1; kill -TERM -1' TERM
"$@" < /dev/null 2>&3 3>&- &
main=$!
exec < /dev/null
for n in 3 4 5 6 7 8 9; do eval "exec $n>&-"; done
while :; do
  told=
  wait "$main"
  status=$?
  [ -n "$told" ] || exit "$status"
done
`;

/** The same leave-to-start for level `process`, which has no namespace to be process 1 of. */
export const GATE = `unset OLDPWD SHLVL
echo ready
IFS= read -r go || exit 98
exec 2>&3 3>&-
exec "$@" < /dev/null
`;

/**
 * Perl, which every Debian has, for the one thing that util-linux 2.38 cannot: prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program).
 * $1 number of prctl on this architecture, $2 the filter in hexadecimal; then the program to go on with. struct sock_fprog is a 16-bit
 * count and, after padding, a pointer.
 */
export const LOAD_FILTER = `my ($prctl, $hex) = splice(@ARGV, 0, 2);
my $filter = pack("H*", $hex);
my $program = pack("S x!8 P", length($filter) / 8, $filter);
syscall($prctl, 22, 2, $program, 0, 0) == 0 or die "seccomp: $!\n";
exec { $ARGV[0] } @ARGV or die "exec: $!\n";
`;
