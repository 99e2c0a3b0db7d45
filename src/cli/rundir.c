/* The run directory: made by rank 0, files written aside and renamed so that a reader never sees half of one.
 */
#include <petscviewerhdf5.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <twofold/impl/sysimpl.h>
#include "cli.h"

struct _RunDir {
  char path[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;
};

/* mkdir -p */
static int MakeDirectories(const char path[])
{
  char part[PETSC_MAX_PATH_LEN];

  snprintf(part, sizeof(part), "%s", path);
  for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (mkdir(part, 0777) && errno != EEXIST) return errno;
    *slash = '/';
  }
  if (mkdir(part, 0777) && errno != EEXIST) return errno;
  return access(part, W_OK) ? errno : 0;
}

/* Everything needed to repeat the run, one option a line; what names this very directory is left out. */
static void WriteOptions(FILE *file, const char command[], char all[])
{
  const char *const leave_out[] = {"-output_dir", "-resume", "-help", "-options_file", "-cli_help"};
  char *save = NULL;
  PetscBool skip = PETSC_FALSE, begun = PETSC_FALSE;

  fprintf(file, "# twofold %s %s; repeat with: twofold %s -options_file THIS_FILE -output_dir NEW\n",
          TWOFOLD_VERSION, command, command);
  for (char *token = strtok_r(all, " ", &save); token; token = strtok_r(NULL, " ", &save)) {
    const PetscBool name =
        (PetscBool)(token[0] == '-' && !(token[1] >= '0' && token[1] <= '9') && token[1] != '.');
    if (name) {
      skip = PETSC_FALSE;
      for (size_t i = 0; i < sizeof(leave_out) / sizeof(leave_out[0]); i++)
        if (!strcmp(token, leave_out[i])) skip = PETSC_TRUE;
    }
    if (skip) continue;
    fprintf(file, "%s%s", !begun ? "" : name ? "\n" : " ", token);
    begun = PETSC_TRUE;
  }
  fprintf(file, "\n");
}

PetscErrorCode RunDirCreate(const char path[], const char command[], PetscBool resume, RunDir *dir)
{
  int state[2] = {0, 0}; /* errno of making it; whether it holds a run */
  char history[PETSC_MAX_PATH_LEN];
  char *all;
  FILE *file;

  PetscFunctionBegin;
  PetscCall(PetscNew(dir));
  PetscCall(PetscStrncpy((*dir)->path, path, sizeof((*dir)->path)));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &(*dir)->rank));
  PetscCall(RunDirPath(*dir, "history.csv", history, sizeof(history)));
  if ((*dir)->rank == 0) {
    char checkpoint[PETSC_MAX_PATH_LEN + 16];
    state[0] = MakeDirectories(path);
    snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", path);
    if (!state[0]) state[0] = MakeDirectories(checkpoint);
    state[1] = access(history, F_OK) == 0;
  }
  PetscCallMPI(MPI_Bcast(state, 2, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!state[0], PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE,
             "-output_dir %s: cannot be made or written: %s", path, strerror(state[0]));
  PetscCheck(!state[1] || resume, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-output_dir %s already holds a run: add -resume to go on with it, or name another directory",
             path);
  PetscCall(PetscOptionsGetAll(NULL, &all));
  PetscCall(RunDirOpenAside(*dir, "options.opts", &file));
  if (file) WriteOptions(file, command, all);
  PetscCall(RunDirCommit(*dir, "options.opts", &file));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirPath(RunDir dir, const char name[], char path[], size_t len)
{
  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, len, "%s/%s", dir->path, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirDestroy(RunDir *dir)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(*dir));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AsidePath(RunDir dir, const char name[], char path[], size_t len)
{
  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, len, "%s/%s.tmp", dir->path, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: everything of the file aside is on disk, then it takes its name. */
static PetscErrorCode Rename(RunDir dir, const char name[])
{
  char aside[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN];
  int failed = 0;

  PetscFunctionBegin;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  PetscCall(RunDirPath(dir, name, path, sizeof(path)));
  if (dir->rank == 0) {
    const int descriptor = open(aside, O_RDONLY);
    failed = descriptor < 0 || fsync(descriptor) ? errno : 0;
    if (descriptor >= 0) close(descriptor);
    if (!failed && rename(aside, path)) failed = errno;
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s: %s", path, strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirOpenAside(RunDir dir, const char name[], FILE **file)
{
  char aside[PETSC_MAX_PATH_LEN];
  int failed = 0;

  PetscFunctionBegin;
  *file = NULL;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  if (dir->rank == 0) {
    *file = fopen(aside, "w");
    failed = *file ? 0 : errno;
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s: %s", aside, strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirCommit(RunDir dir, const char name[], FILE **file)
{
  int failed = 0;

  PetscFunctionBegin;
  if (*file) failed = fflush(*file) | ferror(*file) | fclose(*file);
  *file = NULL;
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s/%s: is the disk full?",
             dir->path, name);
  PetscCall(Rename(dir, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirOpenHDF5(RunDir dir, const char name[], PetscViewer *viewer)
{
  char aside[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  PetscCall(PetscViewerHDF5Open(PETSC_COMM_WORLD, aside, FILE_MODE_WRITE, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirCommitHDF5(RunDir dir, const char name[], PetscViewer *viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerDestroy(viewer));
  PetscCall(Rename(dir, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}
