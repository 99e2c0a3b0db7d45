#!/usr/bin/env bash
# A cluster on one machine: nodes h1, h2, ... are namespaces with a network, a host name and a /dev/shm of their own, linked by
# a bridge; ctl, one more, is where jobs are submitted from. Job scripts run on it as they are. Needs root and iproute2; for
# Slurm (as in Debian 12: 22.05) slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins and munge.
#
#   cluster.sh up NODES     the hosts              cluster.sh on HOST COMMAND...   run something there
#   cluster.sh slurm        Slurm on all of them   cluster.sh cut NODE             a node's link goes down
#   cluster.sh down         all of it goes away    cluster.sh heal NODE            and up again
#
# CLUSTER_DIR holds its state, CLUSTER_NET (10.77.0) is the network's address: two at a time need different ones, and two
# CLUSTER_NAME (tfc), which the namespaces begin with.
set -euo pipefail

dir=${CLUSTER_DIR:?a folder for the cluster}
net=${CLUSTER_NET:-10.77.0}
name=${CLUSTER_NAME:-tfc}
export SLURM_CONF=$dir/slurm.conf # or Slurm's commands would look for one in the name service
hosts() { cat "$dir/nodes"; }

# Not `ip netns exec`: that mounts another /sys, without the /sys/fs/cgroup that slurmd asks for.
# shellcheck disable=SC2016 # for the bash in there
on() { # HOST COMMAND...
  local host=$1
  shift
  # nodes share the machine's few cores, which Open MPI does not see: ranks that wait must give theirs away
  OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    exec nsenter --net="/run/netns/$name-$host" unshare --uts --mount --ipc --propagation private bash -c \
    'hostname "$1"; mount --bind "$2" /etc/hosts; mount -t tmpfs tmpfs /dev/shm; shift 2; exec "$@"' _ "$host" "$dir/hosts" "$@"
}
at() { ip -n "$name-$1" "${@:2}"; }

up() { # NODES
  local i
  mkdir -p "$dir"/{state,log,spool,tmp}
  chmod 755 "$dir"
  printf '127.0.0.1 localhost\n%s.254 ctl\n' "$net" >"$dir/hosts"
  seq -f h%g "$1" >"$dir/nodes"
  ip netns add "$name-ctl"
  at ctl link set lo up
  at ctl link add br0 type bridge
  at ctl addr add "$net.254/24" dev br0
  at ctl link set br0 up
  for i in $(seq "$1"); do
    ip netns add "$name-h$i"
    at "h$i" link set lo up
    at ctl link add "v$i" type veth peer name eth0 netns "$name-h$i"
    at ctl link set "v$i" master br0 up
    at "h$i" addr add "$net.$i/24" dev eth0
    at "h$i" link set eth0 up
    echo "$net.$i h$i" >>"$dir/hosts"
    mkdir -p "$dir/spool/h$i" "$dir/tmp/h$i"
  done
}

slurm_conf() {
  local last
  last=$(wc -l <"$dir/nodes")
  cat <<END_OF_FILE
ClusterName=$name
SlurmctldHost=ctl($net.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# less than 5 is taken for the default, 120 s, for which a job that goes back to the queue waits
AuthInfo=socket=$dir/munge.sock,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/tmp/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
KillWait=5
SlurmdTimeout=10
ReturnToService=2
MinJobAge=3600
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName=h[1-$last] NodeAddr=$net.[1-$last] CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=h[1-$last] Default=YES MaxTime=60 State=UP
END_OF_FILE
}

slurm() {
  local host
  (
    umask 077
    head -c 1024 /dev/urandom >"$dir/munge.key"
  )
  munged --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munge.pid" --log-file="$dir/log/munged.log" \
    --seed-file="$dir/munge.seed" --num-threads=2
  slurm_conf >"$SLURM_CONF"
  (on ctl slurmctld -c)
  for host in $(hosts); do (on "$host" slurmd -N "$host"); done
  for ((i = 0; i < 200; i++)); do
    [ "$( (on ctl sinfo -h -o '%D %T') 2>/dev/null)" != "$(wc -l <"$dir/nodes") idle" ] || return 0
    sleep 0.1
  done
  echo "cluster: the nodes of Slurm did not come up" >&2
  tail -n 5 "$dir"/log/*.log >&2
  return 1
}

down() {
  local file host pid
  for file in "$dir"/slurmctld.pid "$dir"/slurmd.*.pid "$dir"/munge.pid; do
    [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
  done
  sleep 0.3
  for host in ctl $(hosts); do
    for pid in $(ip netns pids "$name-$host" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$name-$host" 2>/dev/null || true
  done
  rm -rf "$dir"
}

case ${1:-} in
up) up "$2" ;;
slurm) slurm ;;
on) on "${@:2}" ;;
cut) at ctl link set "v${2#h}" nomaster ;;
heal) at ctl link set "v${2#h}" master br0 ;;
down) down ;;
*)
  echo "usage: cluster.sh up NODES | slurm | on HOST COMMAND... | cut NODE | heal NODE | down" >&2
  exit 64
  ;;
esac
