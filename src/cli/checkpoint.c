/* The last few checkpoints of a run. One is written aside, sealed with a checksum, forced to disk and
   renamed, so that what has its name is whole; the one before stays until then. A run goes on from the newest
   whose seal is right. */
#include <petscviewerhdf5.h>
#include <petsctime.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <twofold/impl/sysimpl.h>
#include "cli.h"

struct _Checkpoints {
  RunDir dir;
  PetscInt every;         /* steps; 0: not by steps */
  PetscLogDouble seconds; /* 0: not by the clock */
  PetscLogDouble last;    /* when one was written, or the run began */
  PetscInt keep;
  PetscInt64 bytes;  /* of that, on rank 0 */
  PetscInt64 newest; /* the step of the last one that was written or read; -1: none */
};

static const char folder_name[] = "checkpoint", marker_name[] = "checkpoint/REQUEUE";

/* ------------------------------------------------------------------ options */

/* "100", "100it", "30s", "10min", "2h" */
static PetscErrorCode ReadInterval(const char text[], Checkpoints checkpoints)
{
  const struct {
    const char *name;
    double seconds; /* 0: steps */
  } units[] = {{"", 0}, {"it", 0}, {"s", 1}, {"min", 60}, {"h", 3600}};
  char *end;
  PetscBool known = PETSC_FALSE;

  PetscFunctionBegin;
  errno = 0;
  const double number = strtod(text, &end);
  checkpoints->every = 0;
  checkpoints->seconds = 0;
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && end != text && !known; i++) {
    known = (PetscBool)!strcmp(end, units[i].name);
    if (!known) continue;
    if (units[i].seconds > 0)
      checkpoints->seconds = number * units[i].seconds;
    else
      known = (PetscBool)(number >= 0 && number <= PETSC_MAX_INT && number == (double)(PetscInt)number);
    if (known && units[i].seconds == 0) checkpoints->every = (PetscInt)number;
  }
  PetscCheck(
      known && !errno && number >= 0 && number < 1e300, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
      "-checkpoint_every %s: write a number of steps, as 100 or 100it, or a time, as 30s, 10min or 2h; "
      "0 for none but the last",
      text);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsFromOptions(PetscOptionItems *PetscOptionsObject, Checkpoints *checkpoints)
{
  char every[64] = "10min";

  PetscFunctionBegin;
  PetscCall(PetscNew(checkpoints));
  (*checkpoints)->keep = 2;
  (*checkpoints)->newest = -1;
  PetscCall(
      PetscOptionsString("-checkpoint_every",
                         "Checkpoint every so many steps (100 or 100it) or so often (30s, 10min, 2h), and "
                         "after the last step (0: after the last)",
                         "twofold", every, every, sizeof(every), NULL));
  PetscCall(PetscOptionsInt("-checkpoint_keep", "Checkpoints to keep, the newest", "twofold",
                            (*checkpoints)->keep, &(*checkpoints)->keep, NULL));
  PetscCall(ReadInterval(every, *checkpoints));
  PetscCheck((*checkpoints)->keep >= 1, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-checkpoint_keep %" PetscInt_FMT ": must be at least 1", (*checkpoints)->keep);
  PetscCall(PetscTime(&(*checkpoints)->last));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsSetDir(Checkpoints checkpoints, RunDir dir)
{
  PetscFunctionBegin;
  checkpoints->dir = dir;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsDestroy(Checkpoints *checkpoints)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(*checkpoints));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the folder */

/* The step of a checkpoint's name, or -1 where it is none. */
static PetscInt64 StepOfName(const char name[])
{
  long long step;
  char again[64];

  if (sscanf(name, "step-%lld.h5", &step) != 1 || step < 0) return -1;
  snprintf(again, sizeof(again), "step-%08lld.h5", step);
  return strcmp(name, again) ? -1 : (PetscInt64)step;
}

/* The newest checkpoint before a step, or -1. */
static PetscInt64 NewestBefore(const char folder[], PetscInt64 before)
{
  PetscInt64 newest = -1;
  DIR *const entries = opendir(folder);

  for (struct dirent *entry = entries ? readdir(entries) : NULL; entry; entry = readdir(entries)) {
    const PetscInt64 step = StepOfName(entry->d_name);
    if (step < before && step > newest) newest = step;
  }
  if (entries) closedir(entries);
  return newest;
}

PetscBool CheckpointsExist(const char path[])
{
  char folder[PETSC_MAX_PATH_LEN];

  snprintf(folder, sizeof(folder), "%s/%s", path, folder_name);
  return (PetscBool)(NewestBefore(folder, INT64_MAX) >= 0);
}

static void Name(PetscInt64 step, char name[], size_t len)
{
  snprintf(name, len, "%s/step-%08lld.h5", folder_name, (long long)step);
}

/* Rank 0 removes all but the newest; one that cannot be removed does no harm. */
static PetscErrorCode RemoveOld(Checkpoints checkpoints)
{
  char folder[PETSC_MAX_PATH_LEN], name[64], path[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;
  PetscInt kept = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(RunDirPath(checkpoints->dir, folder_name, folder, sizeof(folder)));
  for (PetscInt64 step = NewestBefore(folder, INT64_MAX); step >= 0; step = NewestBefore(folder, step)) {
    if (kept++ < checkpoints->keep) continue;
    Name(step, name, sizeof(name));
    PetscCall(RunDirPath(checkpoints->dir, name, path, sizeof(path)));
    (void)unlink(path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ writing */

PetscErrorCode CheckpointsAreDue(Checkpoints checkpoints, PetscInt it, PetscBool *due)
{
  PetscLogDouble now;
  PetscMPIInt late;

  PetscFunctionBegin;
  *due = (PetscBool)(checkpoints->every && it % checkpoints->every == 0);
  if (checkpoints->seconds <= 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscTime(&now));
  late = now - checkpoints->last >= checkpoints->seconds;
  PetscCallMPI(MPI_Bcast(&late, 1, MPI_INT, 0, PETSC_COMM_WORLD)); /* the first rank's clock */
  *due = (PetscBool)late;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the run was made with, as attributes of lambda. */
static PetscErrorCode SaveOrigin(PetscViewer viewer)
{
  char *options;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetAll(NULL, &options));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "options", PETSC_STRING, options));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "version", PETSC_STRING, TWOFOLD_VERSION));
  PetscCall(PetscFree(options));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What it takes on disk, on rank 0. */
static void KeepSize(Checkpoints checkpoints, const char path[])
{
  struct stat status;

  if (!stat(path, &status)) checkpoints->bytes = (PetscInt64)status.st_size;
}

static PetscErrorCode WriteAs(Checkpoints checkpoints, const char name[], ULS uls, Vec lambda)
{
  PetscViewer viewer;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n)); /* for the first one */
  PetscCall(RunDirCheckRoom(checkpoints->dir, name,
                            PetscMax(checkpoints->bytes, (PetscInt64)sizeof(PetscScalar) * n)));
  PetscCall(RunDirOpenHDF5(checkpoints->dir, name, &viewer));
  PetscCall(ULSSaveState(uls, lambda, viewer));
  PetscCall(SaveOrigin(viewer));
  PetscCall(RunDirCommitHDF5(checkpoints->dir, name, &viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first message of an error, for one that says more. */
static PetscErrorCode KeepCause(MPI_Comm comm, int line, const char *function, const char *file,
                                PetscErrorCode code, PetscErrorType type, const char *message, void *ctx)
{
  char *const cause = (char *)ctx;

  (void)comm, (void)line, (void)function, (void)file;
  if (type == PETSC_ERROR_INITIAL && !cause[0] && message) snprintf(cause, 512, "%s", message);
  return code;
}

/* Ends the run on an error of writing, which may be one of some ranks alone: in words that say what is left.
   The half-written file would keep a full disk full. */
static PetscErrorCode Fail(Checkpoints checkpoints, const char name[], const char aside[], const char cause[])
{
  char before[128] = "no checkpoint was written before";

  PetscFunctionBegin;
  (void)unlink(aside);
  if (checkpoints->newest >= 0)
    snprintf(before, sizeof(before), "-resume goes on from step %lld, whose checkpoint is whole",
             (long long)checkpoints->newest);
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
          "the checkpoint %s cannot be written (%s): is the disk full? %s", name, cause, before);
}

PetscErrorCode CheckpointsWrite(Checkpoints checkpoints, ULS uls, Vec lambda, PetscLogDouble *took)
{
  char name[64], path[PETSC_MAX_PATH_LEN], aside[PETSC_MAX_PATH_LEN + 8], cause[512] = "";
  PetscLogDouble begin;
  PetscInt it;

  PetscFunctionBegin;
  PetscCall(PetscTime(&begin));
  PetscCall(ULSGetIterationNumber(uls, &it));
  Name(it, name, sizeof(name));
  PetscCall(RunDirPath(checkpoints->dir, name, path, sizeof(path)));
  snprintf(aside, sizeof(aside), "%s.tmp", path);
  PetscCall(PetscPushErrorHandler(KeepCause, cause));
  const PetscErrorCode ierr = WriteAs(checkpoints, name, uls, lambda);
  PetscCall(PetscPopErrorHandler());
  if (ierr) PetscCall(Fail(checkpoints, name, aside, cause));
  KeepSize(checkpoints, path);
  PetscCall(RemoveOld(checkpoints));
  checkpoints->newest = it;
  PetscCall(PetscTime(&checkpoints->last));
  if (took) *took = checkpoints->last - begin;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsWriteStopped(Checkpoints checkpoints, ULS uls, Vec lambda)
{
  PetscInt it;

  PetscFunctionBegin;
  PetscCall(ULSGetIterationNumber(uls, &it));
  if (it != checkpoints->newest) PetscCall(CheckpointsWrite(checkpoints, uls, lambda, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsMark(Checkpoints checkpoints, const char text[])
{
  FILE *file;

  PetscFunctionBegin;
  PetscCall(RunDirOpenAside(checkpoints->dir, marker_name, &file));
  if (file) fprintf(file, "%s\n", text);
  PetscCall(RunDirCommit(checkpoints->dir, marker_name, &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointsUnmark(Checkpoints checkpoints)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(RunDirPath(checkpoints->dir, marker_name, path, sizeof(path)));
  if (rank == 0) (void)unlink(path); /* there is none as a rule */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ reading */

/* The newest checkpoint before a step, on every rank, and its path; -1 where there is none. */
static PetscErrorCode FindBefore(Checkpoints checkpoints, PetscInt64 *step, char path[], size_t len)
{
  char folder[PETSC_MAX_PATH_LEN], name[64];
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(RunDirPath(checkpoints->dir, folder_name, folder, sizeof(folder)));
  if (rank == 0) *step = NewestBefore(folder, *step);
  PetscCallMPI(MPI_Bcast(step, 1, MPIU_INT64, 0, PETSC_COMM_WORLD));
  Name(*step, name, sizeof(name));
  PetscCall(RunDirPath(checkpoints->dir, name, path, len));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0 gives a damaged one another name, so that it is not taken for one of those to keep. */
static PetscErrorCode SetAside(const char path[], const char why[])
{
  char aside[PETSC_MAX_PATH_LEN + 16];
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  snprintf(aside, sizeof(aside), "%s.damaged", path);
  if (rank == 0) (void)rename(path, aside);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s is damaged, and now %s.damaged: %s\n", path, path, why));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The newest whose seal is right. */
static PetscErrorCode FindNewest(Checkpoints checkpoints, char path[], size_t len)
{
  PetscInt64 step = INT64_MAX;
  char why[512], newest[PETSC_MAX_PATH_LEN] = "", first[512] = "";

  PetscFunctionBegin;
  while (1) {
    PetscCall(FindBefore(checkpoints, &step, path, len));
    PetscCheck(step >= 0, PETSC_COMM_WORLD, PETSC_ERR_FILE_UNEXPECTED,
               "-resume: no checkpoint is whole; the newest, %s, is damaged: %s", newest, first);
    PetscCall(TwofoldFileCheckSeal(PETSC_COMM_WORLD, path, why, sizeof(why)));
    if (!why[0]) PetscFunctionReturn(PETSC_SUCCESS);
    if (!first[0]) {
      PetscCall(PetscStrncpy(newest, path, sizeof(newest)));
      PetscCall(PetscStrncpy(first, why, sizeof(first)));
    }
    PetscCall(SetAside(path, why));
  }
}

PetscErrorCode CheckpointsRead(Checkpoints checkpoints, ULS uls, Vec lambda)
{
  char path[PETSC_MAX_PATH_LEN], *options;
  PetscViewer viewer;
  PetscInt it, max_it;

  PetscFunctionBegin;
  PetscCall(FindNewest(checkpoints, path, sizeof(path)));
  PetscCall(PetscViewerHDF5Open(PETSC_COMM_WORLD, path, FILE_MODE_READ, &viewer));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "options", PETSC_STRING, NULL, &options));
  PetscCall(CliCheckOptionsOfCheckpoint(path, options));
  PetscCall(PetscFree(options));
  PetscCall(TwofoldVecLoad(lambda, path)); /* says clearly what is wrong with one of another problem */
  PetscCall(ULSRestoreState(uls, lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(ULSGetIterationNumber(uls, &it));
  PetscCall(ULSGetMaximumIterations(uls, &max_it));
  checkpoints->newest = it;
  KeepSize(checkpoints, path);
  PetscCheck(it <= max_it, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-uls_max_it %" PetscInt_FMT ": %s is at step %" PetscInt_FMT " already; give more steps",
             max_it, path, it);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "resumed at step %" PetscInt_FMT " of %" PetscInt_FMT " from %s\n",
                        it, max_it, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}
