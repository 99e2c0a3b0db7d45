# shellcheck shell=bash disable=SC2034 # for the scripts that read this
# What the jobs of this folder have to know of a site, in one place. Each may also be set in the environment.

# A line that a job runs first, such as  module load openmpi petsc slepc
SITE_SETUP=${SITE_SETUP:-}
# Partition or queue, and account or project, that submit.sh asks for; empty: the scheduler's own.
SITE_PARTITION=${SITE_PARTITION:-}
SITE_ACCOUNT=${SITE_ACCOUNT:-}
# What starts a program on all ranks of a job; empty: srun --mpi=pmix under Slurm, mpirun elsewhere. srun --mpi=list names the
# kinds that a Slurm has; mpirun finds the ranks of a job by itself where Open MPI was built for the scheduler.
SITE_LAUNCH=${SITE_LAUNCH:-}
# Ranks on a node, as submit.sh asks for them by itself.
SITE_RANKS_A_NODE=${SITE_RANKS_A_NODE:-16}
# Threads of a rank, for BLAS. More than one needs as many cores a rank.
SITE_THREADS=${SITE_THREADS:-1}
# Seconds before a job's limit at which it is told to end. Slurm may tell a minute early; writing a checkpoint must fit in.
SITE_GRACE=${SITE_GRACE:-180}
# Times that a job goes back to the queue or submits its successor by itself.
SITE_MAX_RESTARTS=${SITE_MAX_RESTARTS:-20}
