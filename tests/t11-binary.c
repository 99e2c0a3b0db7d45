/* PETSc binary data sets: the same file as MatView() and VecView() write, and no damaged file gets through.
 */
#include "files.h"
#include <petscmat.h>

static const char text[] = "1 1:0.5 3:2\n-2 2:0.001\n1\n7 1:-1 2:1e-300 5:3\n1 4:0.10000000000000001\n";

static PetscErrorCode Load(const char path[], DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

/* svmlight -> binary -> svmlight; leaves folder/a.bin behind. */
static PetscErrorCode RoundTrip(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], binary[PETSC_MAX_PATH_LEN], back[PETSC_MAX_PATH_LEN], *first, *second;
  size_t n1, n2;
  PetscInt n, p, c;
  PetscBool info;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "a.svm", text, path));
  PetscCall(PetscSNPrintf(binary, sizeof(binary), "%s/a.bin", folder));
  PetscCall(PetscSNPrintf(back, sizeof(back), "%s/back.svm", folder));
  PetscCall(Load(path, &ds));
  PetscCall(DataSetWrite(ds, path));
  PetscCall(DataSetWrite(ds, binary));
  PetscCall(DataSetDestroy(&ds));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscCall(Load(binary, &ds));
  PetscCall(DataSetGetSizes(ds, &n, &p, &c));
  CHECK(n == 5 && p == 5 && c == 3, "n %d, p %d, c %d", (int)n, (int)p, (int)c);
  PetscCall(DataSetWrite(ds, back));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FileRead(path, &first, &n1));
  PetscCall(FileRead(back, &second, &n2));
  CHECK(n1 == n2 && !strcmp(first, second), "'%s' became '%s'", first, second);
  PetscCall(PetscSNPrintf(back, sizeof(back), "%s.info", binary));
  PetscCall(PetscTestFile(back, 'r', &info));
  CHECK(!info, "an .info file was written");
  PetscCall(PetscFree(first));
  PetscCall(PetscFree(second));
  PetscFunctionReturn(0);
}

/* PETSc reads what we write, byte for byte what it would write. */
static PetscErrorCode AsPETSc(const char folder[])
{
  const char rows[] = "1 0:0.5 2:2\n-2 1:0.001\n1\n7 0:-1 1:1e-300 4:3\n1 3:0.10000000000000001\n";
  char path[PETSC_MAX_PATH_LEN], *first, *second, *got;
  size_t n1, n2;
  PetscInt m, n;
  PetscReal norm;
  PetscViewer viewer;
  DataSet ds;
  Mat A;
  Vec y;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/a.bin", folder));
  PetscCall(FileRead(path, &first, &n1));
  PetscCall(PetscViewerBinaryOpen(TEST_COMM, path, FILE_MODE_READ, &viewer));
  PetscCall(MatCreate(TEST_COMM, &A));
  PetscCall(MatSetType(A, MATAIJ));
  PetscCall(MatLoad(A, viewer));
  PetscCall(VecCreate(TEST_COMM, &y));
  PetscCall(VecLoad(y, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(MatGetSize(A, &m, &n));
  CHECK(m == 5 && n == 5, "MatLoad finds %d x %d", (int)m, (int)n);
  PetscCall(MatNorm(A, NORM_FROBENIUS, &norm));
  CHECK_CLOSE(norm, PetscSqrtReal(0.25 + 4 + 1e-6 + 1 + 9 + 0.01), 1e-15, "Frobenius norm");
  PetscCall(VecNorm(y, NORM_1, &norm));
  CHECK_CLOSE(norm, 12, 1e-15, "sum of the labels");

  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/b.bin", folder));
  PetscCall(PetscViewerBinaryOpen(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(MatView(A, viewer));
  PetscCall(VecView(y, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(FileRead(path, &second, &n2));
  CHECK(n1 == n2 && !memcmp(first, second, n1), "PETSc writes another file");
  PetscCall(Load(path, &ds));
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, rows), "read '%s' instead of '%s'", got, rows);
  PetscCall(DataSetDestroy(&ds));
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&y));
  PetscCall(PetscFree(first));
  PetscCall(PetscFree(second));
  PetscCall(PetscFree(got));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ files made by hand */

/* 2 x 3 with entries (0,0) 1, (0,2) 2, (1,1) 3, then labels 4, 5; integers of 4 bytes. */
static const PetscInt clean[] = {1211216, 2, 3, 3, 2, 1, 0, 2, 1};

typedef struct {
  unsigned char byte[256];
  size_t n;
} Bytes;

static void AddInt(Bytes *b, PetscInt64 x, int size)
{
  for (int i = size - 1; i >= 0; i--) b->byte[b->n++] = (unsigned char)((uint64_t)x >> (8 * i));
}

static void AddDouble(Bytes *b, double x)
{
  int64_t bits;
  memcpy(&bits, &x, sizeof(x));
  AddInt(b, bits, 8);
}

/* The clean file with its integer number `at` replaced, value 1 set, and so many labels announced. */
static Bytes Make(int size, int at, PetscInt64 x, double value, PetscInt64 nlabels)
{
  Bytes b = {.n = 0};

  for (int i = 0; i < 9; i++) AddInt(&b, i == at ? x : clean[i], size);
  AddDouble(&b, 1);
  AddDouble(&b, value);
  AddDouble(&b, 3);
  if (nlabels < 0) return b;
  AddInt(&b, 1211214, size);
  AddInt(&b, nlabels, size);
  AddDouble(&b, 4);
  AddDouble(&b, 5);
  return b;
}

static PetscErrorCode Expect(const char folder[], const Bytes b, const char rows[])
{
  char path[PETSC_MAX_PATH_LEN], *got;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(FileWrite(folder, "made.bin", b.byte, b.n, path));
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  PetscCall(DataSetSetFormat(ds, DATASETBINARY));
  PetscCall(DataSetLoad(ds, path));
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, rows), "read '%s' instead of '%s'", got, rows);
  PetscCall(PetscFree(got));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refuse(const char folder[], const Bytes b, const char says[])
{
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(FileWrite(folder, "bad.bin", b.byte, b.n, path));
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  PetscCall(DataSetSetFormat(ds, DATASETBINARY));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, says, DataSetLoad(ds, path));
  PetscCall(DataSetDestroy(&ds));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscFunctionReturn(0);
}

static PetscErrorCode HandMade(const char folder[])
{
  const char rows[] = "4 0:1 2:2\n5 1:3\n";

  PetscFunctionBegin;
  PetscCall(Expect(folder, Make(4, -1, 0, 2, 2), rows));
  PetscCall(Expect(folder, Make(8, -1, 0, 2, 2), rows));
  PetscCall(Expect(folder, Make(4, 3, INT32_MAX, 2, 2), rows)); /* "too many nonzeros to count" */
  PetscCall(Expect(folder, Make(4, 2, 1000000, 2, 2), rows));
  Bytes b = Make(4, -1, 0, 2, 2);
  b.byte[27] = 2; /* columns of row 0 in the other order */
  b.byte[31] = 0;
  PetscCall(Expect(folder, b, "4 0:2 2:1\n5 1:3\n"));

  PetscCall(Refuse(folder, Make(4, -1, 0, NAN, 2), "row 0, column 2 (from 0) is not a finite number"));
  PetscCall(Refuse(folder, Make(4, 0, 1211214, 2, 2), "begins with a Vec"));
  PetscCall(Refuse(folder, Make(4, 0, 77, 2, 2), "is not a PETSc binary file"));
  PetscCall(Refuse(folder, Make(4, 1, -2, 2, 2), "the file is damaged"));
  PetscCall(Refuse(folder, Make(4, 1, 0, 2, 2), "holds no samples"));
  PetscCall(Refuse(folder, Make(4, 1, 2000000000, 2, 2), "2000000000 samples cannot be in a file of"));
  PetscCall(Refuse(folder, Make(8, 1, INT64_MAX / 4, 2, 2), "cannot be in a file of"));
  PetscCall(Refuse(folder, Make(4, 3, -1, 2, 2), "dense matrix"));
  PetscCall(Refuse(folder, Make(4, 3, 4, 2, 2), "says 4 nonzeros, its row lengths sum to 3"));
  PetscCall(Refuse(folder, Make(4, 4, -1, 2, 2), "row 0 claims -1 nonzeros"));
  PetscCall(Refuse(folder, Make(4, 5, 4, 2, 2), "row 1 claims 4 nonzeros in 3 columns"));
  PetscCall(Refuse(folder, Make(4, 7, 3, 2, 2), "row 0 has an entry in column 3 of 3"));
  PetscCall(Refuse(folder, Make(4, 8, -1, 2, 2), "row 1 has an entry in column -1"));
  PetscCall(Refuse(folder, Make(4, 7, 0, 2, 2), "row 0 has two entries in column 0"));
  PetscCall(Refuse(folder, Make(4, -1, 0, 2, -1), "has no labels"));
  PetscCall(Refuse(folder, Make(4, -1, 0, 2, 3), "has 2 samples, but 3 labels"));
  b = Make(4, -1, 0, 2, 2);
  b.byte[b.n - 8] = 0x7f;
  b.byte[b.n - 7] = 0xf0;
  PetscCall(Refuse(folder, b, "the label of row 1 (from 0) is not a finite number"));
  for (b = Make(4, -1, 0, 2, 2); b.n-- > 0;) PetscCall(Refuse(folder, b, "bad.bin"));
  PetscFunctionReturn(0);
}

/* One byte changed at random: an error on every rank, or a data set; never a crash or a rank left waiting. */
static PetscErrorCode Damaged(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  for (PetscInt64 i = 0; i < 100; i++) {
    const uint64_t bits = (uint64_t)TwofoldRandomBits(6, i);
    Bytes b = Make(i % 2 ? 4 : 8, -1, 0, 2, 2);
    b.byte[bits % b.n] = (unsigned char)(bits >> 32);
    PetscCall(FileWrite(folder, "damaged.bin", b.byte, b.n, path));
    PetscCall(DataSetCreate(TEST_COMM, &ds));
    PetscCall(DataSetSetFormat(ds, DATASETBINARY));
    PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
    const int raised = (int)DataSetLoad(ds, path);
    PetscCall(PetscPopErrorHandler());
    CHECK(!raised || raised == PETSC_ERR_FILE_UNEXPECTED, "case %d raised %d", (int)i, raised);
    PetscCall(DataSetDestroy(&ds));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Writing(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], out[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/a.bin", folder));
  PetscCall(PetscSNPrintf(out, sizeof(out), "%s/none/out.bin", folder));
  PetscCall(Load(path, &ds));
  CHECK_SAYS(PETSC_ERR_FILE_WRITE, out, DataSetWrite(ds, out));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(RoundTrip(folder));
  PetscCall(AsPETSc(folder));
  PetscCall(HandMade(folder));
  PetscCall(Damaged(folder));
  PetscCall(Writing(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
