#!/usr/bin/env bash
# Runs a command on a Slurm cluster of this one machine, started for it and stopped after it.
#
#     ALLOW_SYSTEM_INSTALL=1 tests/slurm/with_slurm.sh COMMAND ..
#
# Installs Debian's slurm-wlm and munge where they are missing.
set -euo pipefail

if [ "${ALLOW_SYSTEM_INSTALL:-}" != 1 ]; then
    echo "error: this installs Debian's slurm-wlm and munge; say ALLOW_SYSTEM_INSTALL=1 to allow it." >&2
    exit 2
fi
if [ "$(id -u)" != 0 ]; then
    echo "skipped: Slurm's daemons need root here."
    exit 0
fi
if ! command -v slurmctld slurmd munged sbatch >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge
fi

state=$(mktemp -d)
export SLURM_CONF=$state/slurm.conf
socket=$state/munge.socket

stop() {
    scancel --user=root 2>/dev/null || true
    for daemon in slurmd slurmctld munged; do
        if [ -f "$state/$daemon.pid" ]; then
            pid=$(cat "$state/$daemon.pid")
            kill "$pid" 2>/dev/null || true
            timeout 10 tail --pid="$pid" -f /dev/null || true
        fi
    done
    if [ "${KEEP_LOGS:-}" = 1 ]; then echo "logs: $state"; else rm -rf "$state"; fi
}
trap stop EXIT

# Group and others must not write where munge keeps its key and its socket.
chmod 755 "$state"
head -c 1024 /dev/urandom >"$state/munge.key"
chmod 600 "$state/munge.key"
munged --force --key-file="$state/munge.key" --socket="$socket" --pid-file="$state/munged.pid" \
    --log-file="$state/munged.log" --seed-file="$state/munged.seed"

host=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/spool
ReturnToService=2
KillWait=5
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
mkdir "$state/ctld" "$state/spool"
slurmctld
slurmd
for _ in $(seq 60); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -qE 'idle|mixed'; then break; fi
    sleep 1
done
sinfo --noheader --format='Slurm is up: partition %P, %D node %T' | grep -E 'idle|mixed' || {
    tail -n 5 "$state"/*.log >&2
    exit 1
}

RUNNING_ON_TEST_SLURM=1 "$@"
