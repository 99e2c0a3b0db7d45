#ifndef TWOFOLD_TEST_FILES_H
#define TWOFOLD_TEST_FILES_H
/* Files of a test in a folder of its own, what a data set holds as text, and what an error says. */
#include "test.h"
#include <unistd.h>

/* Makes a new folder; its name is the same on every rank. */
static inline PetscErrorCode FolderCreate(char folder[PETSC_MAX_PATH_LEN])
{
  const char *base = getenv("TMPDIR");
  PetscMPIInt rank;
  int made = 1;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) {
    PetscCall(PetscSNPrintf(folder, PETSC_MAX_PATH_LEN, "%s/twofold-test-XXXXXX", base ? base : "/tmp"));
    made = mkdtemp(folder) != NULL;
  }
  PetscCallMPI(MPI_Bcast(&made, 1, MPI_INT, 0, TEST_COMM));
  CHECK(made, "cannot make a folder for the test's files");
  PetscCallMPI(MPI_Bcast(folder, PETSC_MAX_PATH_LEN, MPI_CHAR, 0, TEST_COMM));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode FolderRemove(const char folder[])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) PetscCall(PetscRMTree(folder));
  PetscFunctionReturn(0);
}

/* Writes n bytes to folder/name by rank 0; `path` gets the whole name. */
static inline PetscErrorCode FileWrite(const char folder[], const char name[], const void *bytes, size_t n,
                                       char path[PETSC_MAX_PATH_LEN])
{
  PetscMPIInt rank;
  int good = 1;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, PETSC_MAX_PATH_LEN, "%s/%s", folder, name));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) {
    FILE *file = fopen(path, "wb");
    good = file && fwrite(bytes, 1, n, file) == n;
    if (file && fclose(file)) good = 0;
  }
  CHECK(good, "cannot write %s", path);
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TextWrite(const char folder[], const char name[], const char text[],
                                       char path[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  PetscCall(FileWrite(folder, name, text, strlen(text), path));
  PetscFunctionReturn(0);
}

/* Reads a whole file on every rank, for comparisons; the caller frees it. One 0 stands behind the bytes. */
static inline PetscErrorCode FileRead(const char path[], char **bytes, size_t *n)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  *n = 0;
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL, "cannot read %s", path);
  fseek(file, 0, SEEK_END);
  *n = (size_t)ftell(file);
  rewind(file);
  PetscCall(PetscMalloc1(*n + 1, bytes));
  const int good = fread(*bytes, 1, *n, file) == *n;
  (*bytes)[*n] = 0;
  fclose(file);
  CHECK(good, "cannot read %s", path);
  PetscFunctionReturn(0);
}

/* All ranks' pieces of text in rank order, on every rank; the caller frees it. */
static inline PetscErrorCode GatherText(MPI_Comm comm, const char mine[], char **all)
{
  PetscMPIInt size, count, total = 0, *counts, *displ;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMPIIntCast((PetscInt)strlen(mine), &count));
  PetscCall(PetscMalloc2(size, &counts, size, &displ));
  PetscCallMPI(MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < size; r++) {
    displ[r] = total;
    total += counts[r];
  }
  PetscCall(PetscMalloc1(total + 1, all));
  PetscCallMPI(MPI_Allgatherv(mine, count, MPI_CHAR, *all, counts, displ, MPI_CHAR, comm));
  (*all)[total] = 0;
  PetscCall(PetscFree2(counts, displ));
  PetscFunctionReturn(0);
}

/* What ds holds: `label column:value ...` a row, columns from 0, 17 digits; the caller frees it. */
static inline PetscErrorCode DataSetText(DataSet ds, char **text)
{
  const PetscReal *value, *target;
  const PetscInt *rowptr, *col, *label;
  const PetscScalar *val;
  PetscInt n;
  char *mine;
  size_t at = 0;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &n, &rowptr, &col, &val, &label));
  PetscCall(DataSetGetClasses(ds, &value, NULL));
  PetscCall(DataSetGetTargets(ds, &target));
  PetscCall(PetscMalloc1((size_t)(n + rowptr[n]) * 64 + 1, &mine));
  mine[0] = 0;
  for (PetscInt i = 0; i < n; i++) {
    at += (size_t)sprintf(mine + at, "%.17g", (double)(target ? target[i] : value[label[i]]));
    for (PetscInt k = rowptr[i]; k < rowptr[i + 1]; k++)
      at += (size_t)sprintf(mine + at, " %d:%.17g", (int)col[k], (double)PetscRealPart(val[k]));
    at += (size_t)sprintf(mine + at, "\n");
  }
  PetscCall(GatherText(PetscObjectComm((PetscObject)ds), mine, text));
  PetscCall(PetscFree(mine));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KeepMessage(MPI_Comm comm, int line, const char *function, const char *file,
                                         PetscErrorCode code, PetscErrorType type, const char *message,
                                         void *kept)
{
  (void)comm;
  (void)line;
  (void)function;
  (void)file;
  if (type == PETSC_ERROR_INITIAL) snprintf(kept, 2048, "%s", message);
  return code;
}

/* The call must raise this code on every rank, with `text` in its message; the error is swallowed. */
#define CHECK_SAYS(code, text, ...)                                                                          \
  do {                                                                                                       \
    char kept_[2048] = "";                                                                                   \
    PetscCall(PetscPushErrorHandler(KeepMessage, kept_));                                                    \
    const int raised_ = (int)(__VA_ARGS__);                                                                  \
    PetscCall(PetscPopErrorHandler());                                                                       \
    CHECK(raised_ == (int)(code), "%s raised %d instead of %d: %s", #__VA_ARGS__, raised_, (int)(code),      \
          kept_);                                                                                            \
    CHECK(strstr(kept_, text), "%s says '%s', without '%s'", #__VA_ARGS__, kept_, text);                     \
  } while (0)

#endif
