/* How fast a disk takes what a tape of type disk writes, and gives it back, past the system's cache:

     mpirun -n 2 bench-disk -bench_dir D -bench_piece BYTES -bench_pieces N

   Each rank writes N pieces to a file of its own in D, without a name, and reads them in the order of a
   reverse sweep, the last piece first. Prints MB/s (millions of bytes) of all ranks together, from the first
   to begin to the last to end. Not a test: nothing is judged. */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "bench.h"

typedef struct {
  int fd;
  size_t bytes; /* of a piece: whole pages */
  PetscInt n;
  char *buffer;
} File;

static PetscErrorCode Open(const char dir[], File *f)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char path[PETSC_MAX_PATH_LEN];
  void *buffer;

  PetscFunctionBegin;
  f->bytes = (f->bytes + page - 1) / page * page;
  PetscCheck(!posix_memalign(&buffer, page, f->bytes), PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory");
  f->buffer = (char *)buffer;
  for (size_t i = 0; i < f->bytes; i++) f->buffer[i] = (char)(i * i >> 7);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/bench-disk-XXXXXX", dir));
  f->fd = mkstemp(path);
  PetscCheck(f->fd >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: %s", path, strerror(errno));
  unlink(path);
  PetscCheck(!fcntl(f->fd, F_SETFL, O_DIRECT), PETSC_COMM_SELF, PETSC_ERR_SUP,
             "the file system of %s has no way past the cache: %s", dir, strerror(errno));
  PetscFunctionReturn(0);
}

static PetscErrorCode Move(const File *f, PetscInt piece, PetscBool reading)
{
  PetscFunctionBegin;
  for (size_t done = 0; done < f->bytes;) {
    char *const at = f->buffer + done;
    const off_t where = (off_t)piece * (off_t)f->bytes + (off_t)done;
    const ssize_t n =
        reading ? pread(f->fd, at, f->bytes - done, where) : pwrite(f->fd, at, f->bytes - done, where);
    PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "piece %" PetscInt_FMT ": %s", piece,
               n ? strerror(errno) : "the file ends");
    done += (size_t)n;
  }
  PetscFunctionReturn(0);
}

/* All pieces there or back, in MB/s. */
static PetscErrorCode Pass(const File *f, PetscBool reading, PetscLogDouble *rate)
{
  PetscLogDouble begin, end, bytes = (PetscLogDouble)f->n * (PetscLogDouble)f->bytes;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscTime(&begin));
  for (PetscInt i = 0; i < f->n; i++) PetscCall(Move(f, reading ? f->n - 1 - i : i, reading));
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscTime(&end));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  *rate = bytes / (end - begin) / 1e6;
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char dir[PETSC_MAX_PATH_LEN] = "/tmp";
  PetscReal piece = 8e6;
  PetscLogDouble write, read;
  File f = {.n = 100};

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-bench_dir", dir, sizeof(dir), NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_piece", &piece, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_pieces", &f.n, NULL));
  PetscCheck(
      piece >= 1 && f.n > 0, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
      "bench-disk [-bench_dir D] [-bench_piece BYTES] [-bench_pieces N]: at least one piece of one byte");
  f.bytes = (size_t)piece;
  PetscCall(Open(dir, &f));
  PetscCall(Pass(&f, PETSC_FALSE, &write));
  PetscCall(Pass(&f, PETSC_TRUE, &read));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "write %.0f MB/s, read %.0f MB/s\n", write, read));
  close(f.fd);
  free(f.buffer);
  PetscCall(TwofoldFinalize());
  return 0;
}
