/* The run directory: made by rank 0, files written aside and renamed so that a reader never sees half of one.
 */
#define _GNU_SOURCE /* fallocate() */
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

/* Whether rank 0's directory is there or can be made, and what it holds already. */
typedef struct {
  int error; /* errno of making or writing it */
  int run, checkpoint;
} Inspection;

static void Inspect(const char path[], PetscBool checkpoints, PetscBool make, Inspection *found)
{
  const char *const traces[] = {"history.csv", "summary.json", "study.csv"};
  char file[PETSC_MAX_PATH_LEN];

  for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
    snprintf(file, sizeof(file), "%s/%s", path, traces[i]);
    if (access(file, F_OK) == 0) found->run = 1;
  }
  found->checkpoint = checkpoints && CheckpointsExist(path);
  if (make && !found->run)
    found->error = MakeDirectories(path);
  else
    found->error = access(path, W_OK) ? errno : 0;
}

PetscErrorCode RunDirCreate(const char path[], PetscBool checkpoints, PetscBool resume, RunDir *dir)
{
  Inspection found = {0, 0, 0};

  PetscFunctionBegin;
  PetscCall(PetscNew(dir));
  PetscCall(PetscStrncpy((*dir)->path, path, sizeof((*dir)->path)));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &(*dir)->rank));
  if ((*dir)->rank == 0) Inspect(path, checkpoints, (PetscBool)!resume, &found);
  PetscCallMPI(MPI_Bcast(&found, (int)sizeof(found), MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscCheck(!resume || found.checkpoint, PETSC_COMM_WORLD, PETSC_ERR_FILE_OPEN,
             "-resume: there is no checkpoint in %s/checkpoint, so there is nothing to go on with; to begin "
             "anew, %s",
             path, found.run ? "name another directory" : "leave -resume out");
  PetscCheck(!found.run || resume, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-output_dir %s already holds a run: name another directory%s", path,
             found.checkpoint ? ", or add -resume to go on with it" : "");
  PetscCheck(!found.error, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-output_dir %s: cannot be made or written: %s", path, strerror(found.error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One option a line; what names this very directory is left out. */
static void WriteEach(FILE *file, char all[])
{
  const char *const leave_out[] = {"output_dir", "resume", "help", "options_file", "cli_help"};
  const char *name, *value;

  while (CliNextOption(&all, &name, &value)) {
    PetscBool skip = PETSC_FALSE;
    for (size_t i = 0; i < sizeof(leave_out) / sizeof(leave_out[0]); i++)
      if (!strcmp(name, leave_out[i])) skip = PETSC_TRUE;
    if (skip) continue;
    if (value && strchr(value, '#'))
      fprintf(file, "# to be given on the command line, since a file's line ends at its first hash:\n# ");
    if (!value)
      fprintf(file, "-%s\n", name);
    else if (strchr(value, ' '))
      fprintf(file, "-%s \"%s\"\n", name, value);
    else
      fprintf(file, "-%s %s\n", name, value);
  }
}

PetscErrorCode RunDirWriteOptions(RunDir dir, const char command[])
{
  char *all;
  FILE *file;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetAll(NULL, &all));
  PetscCall(RunDirOpenAside(dir, "options.opts", &file));
  if (file) {
    fprintf(file, "# twofold %s %s; repeat with: twofold %s -options_file THIS_FILE -output_dir NEW\n",
            TWOFOLD_VERSION, command, command);
    WriteEach(file, all);
  }
  PetscCall(RunDirCommit(dir, "options.opts", &file));
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

/* The new name, too, outlives a crash of the machine, where the file system can promise that. */
static void SyncFolder(const char path[])
{
  char folder[PETSC_MAX_PATH_LEN];

  snprintf(folder, sizeof(folder), "%s", path);
  char *const slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0;
  const int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;
  (void)fsync(descriptor);
  close(descriptor);
}

PetscErrorCode CliRename(const char aside[], const char path[])
{
  PetscMPIInt rank;
  int failed = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) {
    const int descriptor = open(aside, O_RDONLY);
    failed = descriptor < 0 || fsync(descriptor) ? errno : 0;
    if (descriptor >= 0) close(descriptor);
    if (!failed && rename(aside, path)) failed = errno;
    if (!failed) SyncFolder(path);
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s: %s", path, strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Rename(RunDir dir, const char name[])
{
  char aside[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  PetscCall(RunDirPath(dir, name, path, sizeof(path)));
  PetscCall(CliRename(aside, path));
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

PetscErrorCode RunDirCheckRoom(RunDir dir, const char name[], PetscInt64 bytes)
{
  char aside[PETSC_MAX_PATH_LEN];
  int error = 0;

  PetscFunctionBegin;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  if (dir->rank == 0) {
    const int file = open(aside, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || fallocate(file, 0, 0, 8192 + (off_t)bytes)) error = errno;
    if (error == EOPNOTSUPP || error == ENOSYS || (file < 0 && error == ENOENT))
      error = 0; /* no folder yet */
    if (file >= 0) close(file);
    if (file >= 0) unlink(aside);
  }
  PetscCallMPI(MPI_Bcast(&error, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!error, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s: %s", aside, strerror(error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirOpenHDF5(RunDir dir, const char name[], PetscViewer *viewer)
{
  char aside[PETSC_MAX_PATH_LEN], folder[PETSC_MAX_PATH_LEN];
  int failed = 0;

  PetscFunctionBegin;
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  PetscCall(RunDirPath(dir, name, folder, sizeof(folder)));
  *strrchr(folder, '/') = 0;
  if (dir->rank == 0) failed = MakeDirectories(folder);
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write %s: %s", aside, strerror(failed));
  PetscCall(PetscViewerHDF5Open(PETSC_COMM_WORLD, aside, FILE_MODE_WRITE, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunDirCommitHDF5(RunDir dir, const char name[], PetscViewer *viewer)
{
  char aside[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(PetscViewerDestroy(viewer));
  PetscCall(AsidePath(dir, name, aside, sizeof(aside)));
  PetscCall(TwofoldFileSeal(PETSC_COMM_WORLD, aside));
  PetscCall(Rename(dir, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}
