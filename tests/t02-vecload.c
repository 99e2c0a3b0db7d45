/* Vectors from text, PETSc binary and HDF5 files. */
#include "files.h"
#include <inttypes.h>
#include <petscviewerhdf5.h>

/* A vector of n entries of which the last rank owns two thirds, so that no reader's range is its own. */
static PetscErrorCode CreateVec(PetscInt n, PetscInt bs, Vec *x)
{
  PetscMPIInt rank, size;
  PetscInt local;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  const PetscInt blocks = n / bs, large = size > 1 ? 2 * blocks / 3 : blocks;
  const PetscInt others = size > 1 ? (blocks - large) / (size - 1) : 0;
  local = rank == size - 1 ? blocks - others * (size - 1) : others;
  PetscCall(VecCreate(TEST_COMM, x));
  PetscCall(VecSetBlockSize(*x, bs));
  PetscCall(VecSetSizes(*x, local * bs, n));
  PetscCall(VecSetType(*x, VECSTANDARD));
  PetscCall(PetscObjectSetName((PetscObject)*x, "lambda"));
  PetscFunctionReturn(0);
}

/* Entry i is expected[i]. */
static PetscErrorCode Compare(Vec x, const PetscReal expected[])
{
  const PetscScalar *a;
  PetscInt start, n, bad = -1;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &start, NULL));
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(x, &a));
  for (PetscInt i = n - 1; i >= 0; i--)
    if (PetscRealPart(a[i]) != expected[start + i]) bad = start + i;
  PetscCall(VecRestoreArrayRead(x, &a));
  CHECK(bad < 0, "entry %d is not %.17g", (int)bad, (double)expected[bad < 0 ? 0 : bad]);
  PetscFunctionReturn(0);
}

static PetscErrorCode Text(const char folder[])
{
  const PetscReal expected[] = {1, -2.5, 3e-5, 0.1, 7};
  char path[PETSC_MAX_PATH_LEN];
  Vec x;

  PetscFunctionBegin;
  PetscCall(CreateVec(5, 1, &x));
  PetscCall(TextWrite(folder, "a.txt", "# start\n1\n  -2.5\t\r\n\n% more\n3e-5\n.1\n+7.", path));
  PetscCall(TwofoldVecLoad(x, path));
  PetscCall(Compare(x, expected));

  PetscCall(TextWrite(folder, "a.txt", "1\n2\n3\n4\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "holds 4 numbers, but the vector has 5", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "a.txt", "1\n2\n\nx3\n4\n5\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "a.txt:4: 'x3'", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "a.txt", "1\n2 3\n4\n5\n6\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "a.txt:2: '2'", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "a.txt", "1\n2\n4\n5\nnan\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "a.txt:5: 'nan'", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "a.txt", "1\n2\n4\n1e400\n5\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "a.txt:4: '1e400'", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "a.txt", "", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "holds 0 numbers", TwofoldVecLoad(x, path));
  CHECK_SAYS(PETSC_ERR_FILE_OPEN, "missing.txt", TwofoldVecLoad(x, "missing.txt"));
  PetscCall(Compare(x, expected)); /* no error touched it */
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

/* Numbers as people and programs write them, against strtod(). */
static PetscErrorCode Numbers(const char folder[])
{
  enum { n = 3000 };
  static char text[n * 48];
  static PetscReal expected[n];
  char path[PETSC_MAX_PATH_LEN];
  size_t at = 0;
  Vec x;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const uint64_t bits = (uint64_t)TwofoldRandomBits(1, i);
    const int digits = (int)(bits % 22), exponent = (int)((bits >> 8) % 640) - 320;
    const PetscReal value = TwofoldRandomNormal(2, i);
    const size_t start = at;
    if (i % 3 == 0) {
      at += (size_t)sprintf(text + at, "%.*e", digits, (double)value);
    } else if (i % 3 == 1) {
      at += (size_t)sprintf(text + at, "%.*g", digits, (double)(value * 1e5));
    } else {
      at += (size_t)sprintf(text + at, "%" PRIu64 ".%" PRIu64 "e%d", bits >> (bits & 63), bits >> 20,
                            exponent - 20);
    }
    expected[i] = strtod(text + start, NULL);
    if (PetscIsInfReal(expected[i])) {
      at = start + (size_t)sprintf(text + start, "0.3");
      expected[i] = 0.3;
    }
    text[at++] = '\n';
  }
  text[at] = 0;
  PetscCall(TextWrite(folder, "n.txt", text, path));
  PetscCall(CreateVec(n, 1, &x));
  PetscCall(TwofoldVecLoad(x, path));
  PetscCall(Compare(x, expected));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Binary(const char folder[])
{
  const unsigned char wide[] = {0, 0, 0, 0, 0, 0x12, 0x7b, 0x4e, 0,    0,    0, 0, 0, 0, 0, 2,
                                0, 0, 0, 0, 0, 0,    0,    0,    0xbf, 0xf8, 0, 0, 0, 0, 0, 0};
  const PetscReal two[] = {0, -1.5};
  const size_t header = 2 * sizeof(PetscInt); /* class id, length */
  PetscReal *expected;
  char path[PETSC_MAX_PATH_LEN], *bytes;
  size_t n;
  PetscViewer viewer;
  Vec x, y;

  PetscFunctionBegin;
  PetscCall(CreateVec(30, 5, &x));
  PetscCall(VecDuplicate(x, &y));
  PetscCall(TwofoldVecSetRandomNormal(x, 3));
  PetscCall(PetscMalloc1(30, &expected));
  for (PetscInt i = 0; i < 30; i++) expected[i] = TwofoldRandomNormal(3, i);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/x.bin", folder));
  PetscCall(PetscViewerBinaryOpen(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(VecView(x, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscCall(TwofoldVecLoad(y, path));
  PetscCall(Compare(y, expected));

  PetscCall(FileRead(path, &bytes, &n));
  for (size_t cut = 0; cut < n; cut += cut < 16 ? 1 : 37) {
    PetscCall(FileWrite(folder, "cut.bin", bytes, cut, path));
    CHECK_RAISES(PETSC_ERR_FILE_UNEXPECTED, TwofoldVecLoad(y, path));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
  }
  bytes[header + 3 * 8] = 0x7f; /* an infinite or huge exponent */
  bytes[header + 3 * 8 + 1] = (char)0xf8;
  PetscCall(FileWrite(folder, "nan.bin", bytes, n, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "entry 3 is not a finite number", TwofoldVecLoad(y, path));
  bytes[sizeof(PetscInt) - 1] = 0x50; /* the class id of a Mat */
  PetscCall(FileWrite(folder, "mat.bin", bytes, n, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "holds a Mat, not a vector", TwofoldVecLoad(y, path));
  PetscCall(TextWrite(folder, "text.bin", "1\n2\n3\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is not a PETSc binary file", TwofoldVecLoad(y, path));
  PetscCall(Compare(y, expected));
  PetscCall(PetscFree(bytes));
  PetscCall(PetscFree(expected));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&y));

  PetscCall(FileWrite(folder, "wide.bin", wide, sizeof(wide), path)); /* 64-bit indices wrote it */
  PetscCall(CreateVec(2, 1, &x));
  PetscCall(TwofoldVecLoad(x, path));
  PetscCall(Compare(x, two));
  PetscCall(VecDestroy(&x));
  PetscCall(CreateVec(3, 1, &x));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "holds 2 numbers, but the vector has 3", TwofoldVecLoad(x, path));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

/* One file per writing block size, read into vectors of every block size. */
static PetscErrorCode HDF5(const char folder[])
{
  const PetscInt bs[] = {1, 3, 5};
  PetscReal expected[30];
  char path[PETSC_MAX_PATH_LEN], *bytes;
  size_t n;
  PetscViewer viewer;
  Vec x;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < 30; i++) expected[i] = TwofoldRandomNormal(4, i);
  for (int w = 0; w < 3; w++) {
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/x%d.h5", folder, w));
    PetscCall(CreateVec(30, bs[w], &x));
    PetscCall(TwofoldVecSetRandomNormal(x, 4));
    PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
    PetscCall(VecView(x, viewer));
    PetscCall(PetscViewerDestroy(&viewer));
    PetscCall(VecDestroy(&x));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    for (int r = 0; r < 3; r++) {
      PetscCall(CreateVec(30, bs[r], &x));
      PetscCall(TwofoldVecLoad(x, path));
      PetscCall(Compare(x, expected));
      PetscCall(VecDestroy(&x));
    }
  }
  PetscCall(CreateVec(25, 5, &x));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "holds 30 numbers, but the vector has 25", TwofoldVecLoad(x, path));
  PetscCall(VecDestroy(&x));
  PetscCall(CreateVec(30, 1, &x));
  PetscCall(PetscObjectSetName((PetscObject)x, "v"));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "no data set named 'v'", TwofoldVecLoad(x, path));
  PetscCall(FileRead(path, &bytes, &n));
  PetscCall(FileWrite(folder, "cut.h5", bytes, n - 100, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "cut short", TwofoldVecLoad(x, path));
  PetscCall(TextWrite(folder, "text.h5", "1\n2\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is not an HDF5 file", TwofoldVecLoad(x, path));
  CHECK_SAYS(PETSC_ERR_FILE_OPEN, "missing.h5", TwofoldVecLoad(x, "missing.h5"));
  PetscCall(PetscFree(bytes));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Text(folder));
  PetscCall(Numbers(folder));
  PetscCall(Binary(folder));
  PetscCall(HDF5(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
