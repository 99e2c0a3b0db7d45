/* SVMLight files: what is read, what is refused and how, exact round trips. */
#include "files.h"
#include <twofold/impl/datasetimpl.h>

/* Reads a file with this text on comm; base as for DataSetSetIndexBase(). */
static PetscErrorCode Load(MPI_Comm comm, const char path[], PetscInt base, DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreate(comm, ds));
  PetscCall(DataSetSetFormat(*ds, DATASETSVMLIGHT));
  PetscCall(DataSetSetIndexBase(*ds, base));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

/* The text must give these rows, number of features and first index; also on a communicator of one rank. */
static PetscErrorCode Expect(const char folder[], const char text[], PetscInt base, const char rows[],
                             PetscInt p, PetscInt found)
{
  const MPI_Comm comms[] = {TEST_COMM, PETSC_COMM_SELF};
  char path[PETSC_MAX_PATH_LEN], *got;
  PetscInt features;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "in.svm", text, path));
  for (int i = 0; i < 2; i++) {
    PetscCall(Load(comms[i], path, base, &ds));
    PetscCall(DataSetText(ds, &got));
    CHECK(!strcmp(got, rows), "read '%s' instead of '%s'", got, rows);
    PetscCall(DataSetGetSizes(ds, NULL, &features, NULL));
    CHECK(features == p, "%d features instead of %d", (int)features, (int)p);
    CHECK(ds->index_base == found, "first index %d instead of %d", (int)ds->index_base, (int)found);
    CHECK(!ds->fixed_width, "the width of an SVMLight file is not fixed");
    PetscCall(PetscFree(got));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Literals(const char folder[])
{
  PetscFunctionBegin;
  PetscCall(Expect(folder, "1 1:0.5 3:2\n-1 2:1e-3\n", -1, "1 0:0.5 2:2\n-1 1:0.001\n", 3, 1));
  PetscCall(Expect(folder, "1 1:0.5 3:2\n-1 2:1e-3\n", 0, "1 1:0.5 3:2\n-1 2:0.001\n", 4, 0));
  PetscCall(Expect(folder, "1 1:5\r\n2 3:2\r\n3 0:1 1:-.25", -1, "1 1:5\n2 3:2\n3 0:1 1:-0.25\n", 4, 0));
  PetscCall(Expect(folder, "# head\n\n+7 qid:3 2:1 # tail 9:9\n   \n0.5\n\t-3\t1:1#x\n7 # only\n", 1,
                   "7 1:1\n0.5\n-3 0:1\n7\n", 2, 1));
  PetscCall(Expect(folder, "3\n3\n", -1, "3\n3\n", 0, 1));
  PetscCall(Expect(folder, "1 1:0 2:-0.0 7:+1.E+2", -1, "1 0:0 1:-0 6:100\n", 7, 1));
  PetscCall(Expect(folder, "4 2147483646:1\n", 1, "4 2147483645:1\n", 2147483646, 1));
  PetscFunctionReturn(0);
}

/* Line 40 of 80 is bad. */
static PetscErrorCode Refuse(const char folder[], const char line[], PetscInt base, const char says[])
{
  char path[PETSC_MAX_PATH_LEN], expected[PETSC_MAX_PATH_LEN + 64], text[4096] = "";
  DataSet ds;

  PetscFunctionBegin;
  for (int i = 1; i <= 80; i++) {
    PetscCall(PetscStrlcat(text, i == 40 ? line : "1 1:1 2:2", sizeof(text)));
    PetscCall(PetscStrlcat(text, "\n", sizeof(text)));
  }
  PetscCall(TextWrite(folder, "bad.svm", text, path));
  PetscCall(PetscSNPrintf(expected, sizeof(expected), "%s:40: %s", path, says));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, expected, Load(TEST_COMM, path, base, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Errors(const char folder[])
{
  const struct {
    const char *line, *says;
    PetscInt base;
  } bad[] = {
      {"spam 1:1", "'spam': the label is not a finite number", -1},
      {"1:1 2:2", "'1:1': the label is not a finite number", -1},
      {"1,2 1:1", "'1,2': the label is not a finite number", -1},
      {"nan 1:1", "'nan': the label", -1},
      {"1e999 1:1", "'1e999': the label", -1},
      {"0x10 1:1", "'0x10': the label", -1},
      {"1 -1:1", "'-1:1': the index is not a whole number", -1},
      {"1 a:1", "'a:1': the index is not a whole number", -1},
      {"1 1.5:1", "'1.5:1': the index is not a whole number", -1},
      {"1 :1", "':1': the index is not a whole number", -1},
      {"1 1:1 3", "'3': no colon", -1},
      {"1 0:1 1:1", "'0:1': index 0 where indices begin with 1", 1},
      {"1 2:1 2:2", "'2:2': comes after index 2", -1},
      {"1 5:1 4:1", "'4:1': comes after index 5", -1},
      {"1 99999999999999999999:1", "'99999999999999999999:1': the index is too large", -1},
      {"1 1:nan", "'1:nan': the value is not a finite number", -1},
      {"1 1:-inf", "'1:-inf': the value is not a finite number", -1},
      {"1 1:1e999", "'1:1e999': the value is not a finite number", -1},
      {"1 1:", "'1:': the value is not a finite number", -1},
      {"1 1: 2", "'1:': the value is not a finite number", -1},
      {"1 1:2x", "'1:2x': the value is not a finite number", -1},
      {"1 1:1:1", "'1:1:1': the value is not a finite number", -1},
      {"1 1:1e", "'1:1e': the value is not a finite number", -1},
      {"1 1:\x01z", "'1:?z': the value is not a finite number", -1},
  };
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    PetscCall(Refuse(folder, bad[i].line, bad[i].base, bad[i].says));
  PetscCall(TextWrite(folder, "empty.svm", "", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "empty.svm holds no samples", Load(TEST_COMM, path, -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(TextWrite(folder, "empty.svm", "# nothing\n\n", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "empty.svm holds no samples", Load(TEST_COMM, path, -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FileWrite(folder, "nul.svm", "1 1:1\n1 1:\0002\n1 1:3\n", 20, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "nul.svm:2: '1:?2'", Load(TEST_COMM, path, -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FileWrite(folder, "a.svm.gz", "\x1f\x8b\x08\x00", 4, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "gunzip", Load(TEST_COMM, path, -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, Load(TEST_COMM, "missing.svm", -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is a folder", Load(TEST_COMM, folder, -1, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* One line longer than the ranges of several ranks, between short ones. */
static PetscErrorCode LongLine(const char folder[])
{
  enum { entries = 20000 };
  char path[PETSC_MAX_PATH_LEN], *text;
  size_t at = 0;
  PetscInt n, p, c, nlocal, nnz[2] = {0, 0};
  const PetscInt *rowptr;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(entries * 16 + 64, &text));
  at += (size_t)sprintf(text, "1 1:1\n2");
  for (int i = 1; i <= entries; i++) at += (size_t)sprintf(text + at, " %d:%d", i, i);
  sprintf(text + at, "\n1 2:1\n");
  PetscCall(TextWrite(folder, "long.svm", text, path));
  PetscCall(Load(TEST_COMM, path, -1, &ds));
  PetscCall(DataSetGetSizes(ds, &n, &p, &c));
  CHECK(n == 3 && p == entries && c == 2, "n %d, p %d, c %d", (int)n, (int)p, (int)c);
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, NULL, NULL, NULL));
  nnz[0] = rowptr[nlocal];
  PetscCallMPI(MPI_Allreduce(&nnz[0], &nnz[1], 1, MPIU_INT, MPI_SUM, TEST_COMM));
  CHECK(nnz[1] == entries + 2, "%d entries instead of %d", (int)nnz[1], entries + 2);
  PetscCall(DataSetDestroy(&ds));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Doubles of every size, as bits, and what %.17g makes of them. */
static double AnyDouble(PetscInt64 i)
{
  const uint64_t bits = (uint64_t)TwofoldRandomBits(5, i);
  double x;

  if (i % 4 == 0) return (double)(int)(bits % 2001) - 1000;
  if (i % 4 == 1) return ((double)(int)(bits % 20001) - 10000) / 1000;
  memcpy(&x, &bits, sizeof(x));
  return isfinite(x) ? x : 0.5;
}

/* Text, read, written and read again: the same bits, and the writer's own text is a fixed point. */
static PetscErrorCode RoundTrip(const char folder[])
{
  enum { rows = 300, width = 8 };
  char path[PETSC_MAX_PATH_LEN], again[PETSC_MAX_PATH_LEN], *text, *got, *first, *second;
  size_t at = 0, n1, n2;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(rows * (width + 1) * 48, &text));
  for (int i = 0; i < rows; i++) {
    at += (size_t)sprintf(text + at, "%.17g", (i % 7) * 0.1 - 0.3);
    for (int j = 0; i % 11 && j < width; j++)
      at += (size_t)sprintf(text + at, " %d:%.17g", 3 * j + i % 3, AnyDouble(i * width + j));
    text[at++] = '\n';
  }
  text[at] = 0;
  PetscCall(TextWrite(folder, "trip.svm", text, path));
  PetscCall(Load(TEST_COMM, path, 0, &ds));
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, text), "the numbers changed when they were read");
  PetscCall(PetscSNPrintf(again, sizeof(again), "%s/again.svm", folder));
  PetscCall(DataSetWrite(ds, again));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(PetscFree(got));
  PetscCall(FileRead(again, &first, &n1));

  PetscCall(Load(TEST_COMM, again, 1, &ds));
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, text), "the numbers changed when they were written");
  PetscCall(DataSetWrite(ds, path)); /* over a longer file: nothing of it may be left */
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FileRead(path, &second, &n2));
  CHECK(n1 == n2 && !strcmp(first, second), "the written file changed when it was written again");
  PetscCall(PetscFree(first));
  PetscCall(PetscFree(second));
  PetscCall(PetscFree(got));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Writing(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], out[PETSC_MAX_PATH_LEN], *bytes;
  size_t n;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "in.svm", "2 0:0.1 4:1e22\n-1.5\n2 2:100 3:-0.333333333333333315\n", path));
  PetscCall(Load(TEST_COMM, path, -1, &ds));
  PetscCall(PetscSNPrintf(out, sizeof(out), "%s/out.svm", folder));
  PetscCall(DataSetWrite(ds, out));
  PetscCall(FileRead(out, &bytes, &n));
  CHECK(!strcmp(bytes, "2 1:0.1 5:1e+22\n-1.5\n2 3:100 4:-0.3333333333333333\n"), "wrote '%s'", bytes);
  PetscCall(PetscFree(bytes));
  PetscCall(PetscSNPrintf(out, sizeof(out), "%s/none/out.svm", folder));
  CHECK_SAYS(PETSC_ERR_FILE_WRITE, out, DataSetWrite(ds, out));
  CHECK_SAYS(PETSC_ERR_FILE_WRITE, folder, DataSetWrite(ds, folder));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Literals(folder));
  PetscCall(Errors(folder));
  PetscCall(LongLine(folder));
  PetscCall(RoundTrip(folder));
  PetscCall(Writing(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
