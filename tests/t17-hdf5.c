/* HDF5 files: dense and sparse samples of several types, round trips, what is refused and how. */
#include <hdf5.h>
#include "files.h"
#include <twofold/impl/datasetimpl.h>

/* One data set or attribute of a file. */
typedef struct {
  const char *name;
  hid_t type; /* 0: text */
  int ndims;
  hsize_t dim[3];
  const double *value;
} Item;

enum { most_items = 8 };

static void WriteText(hid_t at, const char name[], const char text[], int attribute)
{
  const hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, H5T_VARIABLE);
  if (attribute) {
    const hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, type, &text);
    H5Aclose(a);
  } else {
    const hid_t d = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text);
    H5Dclose(d);
  }
  H5Tclose(type);
  H5Sclose(space);
}

/* A name with @ is an attribute: of the group in front of it. */
static void WriteItem(hid_t file, const Item *item)
{
  const char *const sign = strchr(item->name, '@');
  char group[64] = "/";

  if (sign) snprintf(group, sizeof(group), "%.*s", (int)(sign - item->name), item->name);
  const hid_t at = sign ? H5Gopen2(file, group, H5P_DEFAULT) : file;
  if (!item->type) {
    WriteText(at, sign ? sign + 1 : item->name, "csc_matrix", sign != NULL);
  } else {
    const hid_t space = H5Screate_simple(item->ndims, item->dim, NULL);
    if (sign) {
      const hid_t a = H5Acreate2(at, sign + 1, item->type, space, H5P_DEFAULT, H5P_DEFAULT);
      H5Awrite(a, H5T_NATIVE_DOUBLE, item->value);
      H5Aclose(a);
    } else {
      const hid_t links = H5Pcreate(H5P_LINK_CREATE);
      H5Pset_create_intermediate_group(links, 1);
      const hid_t d = H5Dcreate2(at, item->name, item->type, space, links, H5P_DEFAULT, H5P_DEFAULT);
      H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, item->value);
      H5Dclose(d);
      H5Pclose(links);
    }
    H5Sclose(space);
  }
  if (sign) H5Gclose(at);
}

/* Rank 0 writes a file of these items, up to one without a name. */
static PetscErrorCode FileOfItems(const char folder[], const Item item[], char path[PETSC_MAX_PATH_LEN])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, PETSC_MAX_PATH_LEN, "%s/in.h5", folder));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) {
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < most_items && item[i].name; i++) WriteItem(file, &item[i]);
    H5Fclose(file);
  }
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscFunctionReturn(0);
}

static PetscErrorCode Load(MPI_Comm comm, const char path[], const char options[], DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsClear(NULL));
  if (options) PetscCall(PetscOptionsInsertString(NULL, options));
  PetscCall(DataSetCreate(comm, ds));
  PetscCall(DataSetSetFromOptions(*ds));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode Expect(const char folder[], const char options[], const Item item[], const char rows[],
                             PetscInt p)
{
  const MPI_Comm comms[] = {TEST_COMM, PETSC_COMM_SELF};
  char path[PETSC_MAX_PATH_LEN], *got;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(FileOfItems(folder, item, path));
  for (int i = 0; i < 2; i++) {
    PetscCall(Load(comms[i], path, options, &ds));
    PetscCall(DataSetText(ds, &got));
    CHECK(!strcmp(got, rows), "read '%s' instead of '%s'", got, rows);
    CHECK(ds->p == p && ds->fixed_width, "%d features instead of %d", (int)ds->p, (int)p);
    PetscCall(PetscFree(got));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

#define F64 H5T_IEEE_F64LE
#define F32 H5T_IEEE_F32LE
#define I32 H5T_STD_I32LE
#define I64 H5T_STD_I64BE
#define U8  H5T_STD_U8LE

static const double dense[] = {0.5, 2, 0, 0, 0, -3}, label[] = {1, -1}, label3[] = {1, -1, 4};
static const double csr_val[] = {2, 0.5, -3}, csr_col[] = {1, 0, 2}, csr_row[] = {0, 2, 3}, shape[] = {2, 3};

static PetscErrorCode Types(const char folder[])
{
  const char *const rows = "1 0:0.5 1:2\n-1 2:-3\n";
  const Item matrix[][most_items] = {
      {{"X", F64, 2, {2, 3}, dense}, {"y", F64, 1, {2}, label}},
      {{"X", F32, 2, {2, 3}, dense}, {"y", I32, 2, {2, 1}, label}},
      {{"X/data", F64, 1, {3}, csr_val},
       {"X/indices", I32, 1, {3}, csr_col},
       {"X/indptr", I64, 1, {3}, csr_row},
       {"X@shape", I64, 1, {2}, shape},
       {"y", I64, 1, {2}, label}},
      {{"X/data", F32, 1, {3}, csr_val},
       {"X/indices", I64, 1, {3}, csr_col},
       {"X/indptr", I32, 1, {3}, csr_row},
       {"X/shape", I32, 1, {2}, shape},
       {"y", F32, 1, {2}, label}},
  };
  const double bytes[] = {0, 255, 7, 0}, one[] = {3, 3};
  const Item integers[] = {{"a/b", U8, 2, {2, 2}, bytes}, {"c", U8, 1, {2}, one}, {0}};
  const Item narrow[] = {{"X", F64, 2, {2, 0}, dense}, {"y", F64, 1, {2}, label}, {0}};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++)
    PetscCall(Expect(folder, NULL, matrix[i], rows, 3));
  PetscCall(Expect(folder, "-data_hdf5_x a/b -data_hdf5_y c", integers, "3 1:255\n3 0:7\n", 2));
  PetscCall(Expect(folder, NULL, narrow, "1\n-1\n", 0));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(const char folder[])
{
  const double nan[] = {1, 2, 3, 4, NAN, 6}, down[] = {0, 4, 3}, late[] = {1, 2, 3}, short_row[] = {0, 2, 2},
               out[] = {1, 0, 3}, twice[] = {1, 1, 2}, square[] = {3, 3}, square_row[] = {0, 2, 2, 3};
  const Item x = {"X", F64, 2, {2, 3}, dense}, y = {"y", F64, 1, {2}, label},
             val = {"X/data", F64, 1, {3}, csr_val}, col = {"X/indices", I32, 1, {3}, csr_col},
             row = {"X/indptr", I32, 1, {3}, csr_row}, size = {"X@shape", I32, 1, {2}, shape};
  const struct {
    Item item[most_items];
    const char *says;
  } bad[] = {
      {{y},
       "holds no data set or group 'X' for the samples; h5ls lists those it has, -data_hdf5_x names one"},
      {{x}, "holds no data set 'y': a vector (a label a sample; -data_hdf5_y names it) is needed"},
      {{{"X", F64, 1, {2}, dense}, y},
       "data set 'X' has 2 entries, but a matrix, samples by features is needed"},
      {{{"X", F64, 3, {1, 2, 3}, dense}, y}, "data set 'X' has 1 x 2 x 3 entries"},
      {{{"X", F64, 2, {0, 3}, dense}, {"y", F64, 1, {0}, label}}, "holds no samples"},
      {{{"X", 0, 0, {0}, NULL}, y}, "data set 'X' has no entries, but a matrix"},
      {{x, {"y", F64, 2, {2, 2}, dense}}, "data set 'y' has 2 x 2 entries, but a vector"},
      {{x, {"y", F64, 1, {3}, label3}}, "has 2 samples, but 3 labels in data set 'y'"},
      {{x, {"y", F64, 1, {2}, nan + 3}}, "the label of row 1 (from 0) is not a finite number"},
      {{{"X", F64, 2, {2, 3}, nan}, y}, "the entry in row 1, column 1 (from 0) is not a finite number"},
      {{val, col, row, y}, "holds no data set 'shape': a data set or an attribute of two integers"},
      {{val, col, row, {"X@shape", I32, 1, {3}, label3}, y}, "attribute 'shape' of 'X' is not two integers"},
      {{val, col, row, {"X@shape", F64, 1, {2}, label}, y}, "'X' has a shape of 1 x -1"},
      {{val, col, size, y}, "holds no data set 'indptr'"},
      {{col, row, size, y}, "holds no data set 'data'"},
      {{{"X/data", F64, 1, {2}, csr_val}, col, row, size, y},
       "'X' has 2 values in 'data', but 3 columns in 'indices'"},
      {{val, col, {"X/indptr", I32, 1, {2}, csr_row}, size, y},
       "'indptr' of 'X' has 2 entries, but 3 are needed"},
      {{val, col, {"X/indptr", I32, 1, {3}, late}, size, y}, "entry 0 of 'indptr' is 1"},
      {{val, col, {"X/indptr", I32, 1, {3}, down}, size, y},
       "entry 1 of 'indptr' is 4: it must increase from 0 to 3"},
      {{val, col, {"X/indptr", I32, 1, {3}, short_row}, size, y}, "entry 2 of 'indptr' is 2"},
      {{val, {"X/indices", I32, 1, {3}, out}, row, size, y}, "row 1 has an entry in column 3 of 3"},
      {{val, {"X/indices", I32, 1, {3}, twice}, row, size, y}, "row 0 has two entries in column 1 (from 0)"},
      {{{"X/data", F64, 1, {3}, nan + 3}, col, row, size, y}, "is not a finite number"},
      {{val,
        col,
        {"X/indptr", I32, 1, {4}, square_row},
        {"X@shape", I32, 1, {2}, square},
        {"X@encoding-type", 0, 0, {0}, NULL},
        {"y", F64, 1, {3}, label3}},
       "'X' is compressed by columns; store it by rows (X.tocsr())"},
  };
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    PetscCall(FileOfItems(folder, bad[i].item, path));
    CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, bad[i].says, Load(TEST_COMM, path, NULL, &ds));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

/* Entry (i, j) of a matrix; some are zero. */
static double Entry(int i, int j)
{
  return (3 * i + j) % 4 ? (double)TwofoldRandomNormal(1, 1000 * i + j) : 0;
}

/* Rank 0 writes a compressed dense matrix, in chunks of its own. */
static void WriteCompressed(const char path[], int n, int p, const double x[], const double y[])
{
  const hsize_t dim[2] = {(hsize_t)n, (hsize_t)p}, block[2] = {8, 4};
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t how = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dim, NULL);
  const Item labels = {"y", F64, 1, {(hsize_t)n}, y};

  H5Pset_chunk(how, 2, block);
  H5Pset_deflate(how, 6);
  const hid_t set = H5Dcreate2(file, "X", F64, space, H5P_DEFAULT, how, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
  WriteItem(file, &labels);
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(how);
  H5Fclose(file);
}

/* It is read entry by entry. */
static PetscErrorCode Compressed(const char folder[])
{
  enum { n = 53, p = 9 };
  double x[n * p], y[n];
  char path[PETSC_MAX_PATH_LEN];
  PetscInt nlocal, bad = 0;
  const PetscInt *rowptr, *col, *class;
  const PetscScalar *val;
  PetscMPIInt rank;
  DataSet ds;

  PetscFunctionBegin;
  for (int i = 0; i < n; i++) {
    y[i] = i % 3;
    for (int j = 0; j < p; j++) x[i * p + j] = Entry(i, j);
  }
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/gzip.h5", folder));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) WriteCompressed(path, n, p, x, y);
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscCall(Load(TEST_COMM, path, NULL, &ds));
  CHECK(ds->n == n && ds->p == p && ds->c == 3, "n %d, p %d, c %d", (int)ds->n, (int)ds->p, (int)ds->c);
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, &col, &val, &class));
  for (PetscInt i = 0; i < nlocal; i++) {
    const int row = (int)(ds->rows->rstart + i);
    PetscInt k = rowptr[i];
    for (int j = 0; j < p; j++) {
      const double stored = k < rowptr[i + 1] && col[k] == j ? (double)val[k++] : 0;
      bad += stored != Entry(row, j);
    }
    bad += k != rowptr[i + 1] || class[i] != row % 3;
  }
  CHECK(!bad, "%d entries are wrong on rank 0", (int)bad);
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* n rows of this rank, sparse, some empty, some with a zero that is stored. */
static PetscErrorCode MakeRows(PetscInt n, DataSet *ds)
{
  PetscInt rowptr[64], col[256], start = 0, k = 0;
  PetscScalar val[256];
  PetscReal y[64];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Scan(&n, &start, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  start -= n;
  rowptr[0] = 0;
  for (PetscInt i = 0; i < n; i++) {
    const int row = (int)(start + i);
    for (int j = 0; row % 3 && j < 4; j++) {
      col[k] = 7 * j + row % 7;
      val[k++] = Entry(row, j);
    }
    rowptr[i + 1] = k;
    y[i] = row % 2 ? 0.1 : -7;
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetRows(*ds, n, rowptr, col, val, y, 40, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* What is written is read again, to the last bit; also where some ranks have nothing. */
static PetscErrorCode RoundTrip(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], *before, *after;
  PetscMPIInt rank;
  DataSet ds, back;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  for (int round = 0; round < 3; round++) {
    const PetscInt few = rank == 0 ? 5 : 0, some = rank % 2 ? 0 : 4;
    PetscCall(MakeRows(round == 0 ? 11 + rank : round == 1 ? few : some, &ds));
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/out%d.h5", folder, round));
    PetscCall(DataSetWrite(ds, path));
    PetscCall(Load(TEST_COMM, path, NULL, &back));
    PetscCall(DataSetText(ds, &before));
    PetscCall(DataSetText(back, &after));
    CHECK(!strcmp(before, after), "round %d: '%s' came back as '%s'", round, before, after);
    CHECK(back->n == ds->n && back->p == 40, "%d x %d came back", (int)back->n, (int)back->p);
    PetscCall(PetscFree(before));
    PetscCall(PetscFree(after));
    PetscCall(DataSetDestroy(&back));
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/none/out.h5", folder));
    CHECK_SAYS(PETSC_ERR_FILE_WRITE, path, DataSetWrite(ds, path));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

/* A valid file cut short anywhere is refused; so is what is no HDF5 file. */
static PetscErrorCode Truncations(const char folder[])
{
  const char *const hdf5 = "-data_format hdf5";
  char path[PETSC_MAX_PATH_LEN], *bytes;
  size_t length;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/out0.h5", folder));
  PetscCall(FileRead(path, &bytes, &length));
  for (size_t n = 0; n < length; n += 1 + (size_t)TwofoldRandomBits(2, (PetscInt64)n) % (length / 20)) {
    PetscCall(FileWrite(folder, "cut.h5", bytes, n, path));
    CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "cut.h5 is not an HDF5 file, or was cut short",
               Load(TEST_COMM, path, hdf5, &ds));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscCall(PetscFree(bytes));
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, Load(TEST_COMM, "missing.h5", hdf5, &ds));
  PetscCall(DataSetDestroy(&ds));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is a folder", Load(TEST_COMM, folder, hdf5, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Types(folder));
  PetscCall(Refusals(folder));
  PetscCall(Compressed(folder));
  PetscCall(RoundTrip(folder));
  PetscCall(Truncations(folder));
  PetscCall(PetscOptionsClear(NULL));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
