/* HDF5 files of samples: X dense (n x p), or the group of a CSR matrix as scipy and anndata have it, and
   labels y (n). Each rank reads its rows by MPI-IO. */
#include "rows.h"

#if defined(PETSC_HAVE_HDF5)
#include "h5file.h"

/* ------------------------------------------------------------------ this rank's rows */

typedef struct {
  const char *path;
  PetscMPIInt rank, size;
  PetscInt start, n, p; /* first row and number of rows of this rank; features */
  PetscInt *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;
} Rows;

/* Deals N rows evenly, as PETSc would. */
static PetscErrorCode DealRows(Rows *rows, PetscInt64 N, PetscInt64 p)
{
  const PetscInt64 share = N / rows->size, more = N % rows->size;

  PetscFunctionBegin;
  rows->n = (PetscInt)(share + (rows->rank < more));
  rows->start = (PetscInt)(rows->rank * share + PetscMin(rows->rank, more));
  rows->p = (PetscInt)p;
  PetscCall(PetscCalloc1(rows->n + 1, &rows->rowptr));
  PetscCall(PetscCalloc1(rows->n + 1, &rows->label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void RefuseSize(const Rows *rows, PetscInt64 entries, TwofoldFault *fault)
{
  TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                  "%s: %" PetscInt64_FMT " entries on one rank; use more ranks or PETSc with 64-bit indices",
                  rows->path, entries);
}

/* ------------------------------------------------------------------ dense */

/* Appends the nonzeros of dense rows [first, first + n). */
static PetscErrorCode AppendRows(Rows *rows, PetscInt first, PetscInt n, const PetscReal x[],
                                 TwofoldFault *fault)
{
  PetscInt64 total = rows->rowptr[first];
  PetscInt k = rows->rowptr[first];

  PetscFunctionBegin;
  for (PetscInt64 i = 0; i < (PetscInt64)n * rows->p; i++) total += x[i] != 0;
  if (total >= PETSC_MAX_INT) RefuseSize(rows, total, fault);
  if (fault->code) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscRealloc((size_t)(total + 1) * sizeof(*rows->col), &rows->col));
  PetscCall(PetscRealloc((size_t)(total + 1) * sizeof(*rows->val), &rows->val));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; j < rows->p; j++) {
      const PetscReal value = x[(PetscInt64)i * rows->p + j];
      if (PetscIsInfOrNanReal(value))
        TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                        "%s: the entry in row %" PetscInt_FMT ", column %" PetscInt_FMT
                        " (from 0) is not a finite number",
                        rows->path, rows->start + first + i, j);
      if (value == 0) continue;
      rows->col[k] = j;
      rows->val[k++] = value;
    }
    rows->rowptr[first + i + 1] = k;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadDense(hid_t file, const char name[], Rows *rows, PetscInt64 *N, TwofoldFault *fault)
{
  PetscReal *block = NULL;
  HDF5Array x;

  PetscFunctionBegin;
  HDF5ArrayOpen_Private(file, rows->path, name, 2, "a matrix, samples by features", &x, fault);
  *N = (PetscInt64)x.dim[0];
  if (!fault->code) {
    PetscCall(DealRows(rows, *N, (PetscInt64)x.dim[1]));
    const PetscInt most = PetscMax(hdf5_chunk / PetscMax(rows->p, 1), 1);
    PetscCall(PetscMalloc1((size_t)PetscMin(most, rows->n) * (size_t)rows->p + 1, &block));
    for (PetscInt first = 0; first < rows->n && !fault->code; first += most) {
      const PetscInt n = PetscMin(most, rows->n - first);
      HDF5ArrayReadRows_Private(&x, rows->start + first, n, H5T_NATIVE_DOUBLE, block, fault);
      if (!fault->code) PetscCall(AppendRows(rows, first, n, block, fault));
    }
    PetscCall(PetscFree(block));
  }
  HDF5ArrayClose_Private(&x);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ sparse */

/* The group of a CSR matrix. */
typedef struct {
  HDF5Array data, indices, indptr;
  PetscInt64 shape[2];
} Sparse;

/* Two integers from the attribute `shape` of the group, or its data set of that name. */
static void ReadShape(hid_t group, const char path[], const char name[], PetscInt64 shape[2],
                      TwofoldFault *fault)
{
  HDF5Array array;

  if (fault->code) return;
  if (H5Aexists(group, "shape") > 0) {
    const hid_t attribute = H5Aopen(group, "shape", H5P_DEFAULT), space = H5Aget_space(attribute);
    if (H5Sget_simple_extent_npoints(space) != 2 || H5Aread(attribute, H5T_NATIVE_INT64, shape) < 0)
      TwofoldFaultSet(
          fault, PETSC_ERR_FILE_UNEXPECTED,
          "%s: attribute 'shape' of '%s' is not two integers: the numbers of samples and features", path,
          name);
    H5Sclose(space);
    H5Aclose(attribute);
  } else {
    HDF5ArrayOpen_Private(group, path, "shape", 1,
                          "a data set or an attribute of two integers, samples and features,", &array, fault);
    if (!fault->code && array.dim[0] != 2)
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: data set 'shape' of '%s' is not two integers: the numbers of samples and features",
                      path, name);
    HDF5ArrayRead_Private(&array, 0, 2, H5T_NATIVE_INT64, sizeof(*shape), shape, fault);
    HDF5ArrayClose_Private(&array);
  }
  if (!fault->code &&
      (shape[0] < 0 || shape[1] < 0 || shape[0] >= PETSC_MAX_INT || shape[1] >= PETSC_MAX_INT))
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: '%s' has a shape of %" PetscInt64_FMT " x %" PetscInt64_FMT
                    ": no matrix is of that size here",
                    path, name, shape[0], shape[1]);
}

/* anndata says in an attribute whether rows or columns are compressed. HDF5 itself may loop over a damaged
   text of variable length, so it is asked only where sizes do not tell. */
static PetscBool IsByColumns(hid_t group)
{
  char *text = NULL;
  PetscBool columns = PETSC_FALSE;

  if (H5Aexists(group, "encoding-type") <= 0) return PETSC_FALSE;
  const hid_t attribute = H5Aopen(group, "encoding-type", H5P_DEFAULT), type = H5Aget_type(attribute);
  if (H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, &text) >= 0 && text) {
    columns = (PetscBool)!strcmp(text, "csc_matrix");
    H5free_memory(text);
  }
  H5Tclose(type);
  H5Aclose(attribute);
  return columns;
}

static void OpenSparse(hid_t group, const char path[], const char name[], Sparse *x, TwofoldFault *fault)
{
  HDF5ArrayOpen_Private(group, path, "data", 1, "a vector (the values of a CSR matrix)", &x->data, fault);
  HDF5ArrayOpen_Private(group, path, "indices", 1, "a vector (the columns of a CSR matrix)", &x->indices,
                        fault);
  HDF5ArrayOpen_Private(group, path, "indptr", 1, "a vector (where the rows of a CSR matrix begin)",
                        &x->indptr, fault);
  ReadShape(group, path, name, x->shape, fault);
  if (fault->code) return;
  if (x->shape[0] == x->shape[1] && IsByColumns(group))
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: '%s' is compressed by columns; store it by rows (X.tocsr())", path, name);
  if ((PetscInt64)x->indptr.dim[0] != x->shape[0] + 1)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: 'indptr' of '%s' has %llu entries, but %" PetscInt64_FMT
                    " are needed, one more than samples; is the matrix compressed by rows (X.tocsr())?",
                    path, name, (unsigned long long)x->indptr.dim[0], x->shape[0] + 1);
  if (x->data.dim[0] != x->indices.dim[0])
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: '%s' has %llu values in 'data', but %llu columns in 'indices'", path, name,
                    (unsigned long long)x->data.dim[0], (unsigned long long)x->indices.dim[0]);
}

static void CloseSparse(Sparse *x)
{
  HDF5ArrayClose_Private(&x->data);
  HDF5ArrayClose_Private(&x->indices);
  HDF5ArrayClose_Private(&x->indptr);
}

/* Reads where this rank's rows begin; *before is the number of entries in front of them. */
static PetscErrorCode ReadRowPointers(const Sparse *x, Rows *rows, PetscInt64 *before, TwofoldFault *fault)
{
  const PetscInt64 nnz = (PetscInt64)x->data.dim[0];
  PetscInt64 *at;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(rows->n + 1, &at));
  HDF5ArrayRead_Private(&x->indptr, rows->start, rows->n + 1, H5T_NATIVE_INT64, sizeof(*at), at, fault);
  for (PetscInt i = 0; i <= rows->n && !fault->code; i++) {
    const PetscInt row = rows->start + i;
    const PetscBool good = (PetscBool)(at[i] >= (i ? at[i - 1] : 0) && at[i] <= nnz &&
                                       (row > 0 || at[i] == 0) && (row < x->shape[0] || at[i] == nnz));
    if (!good)
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: entry %" PetscInt_FMT " of 'indptr' is %" PetscInt64_FMT
                      ": it must increase from 0 to %" PetscInt64_FMT ", the number of values",
                      rows->path, row, at[i], nnz);
    else if (at[i] - at[0] >= PETSC_MAX_INT)
      RefuseSize(rows, at[i] - at[0], fault);
    else
      rows->rowptr[i] = (PetscInt)(at[i] - at[0]);
  }
  *before = at[0];
  PetscCall(PetscFree(at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads the columns and values behind the row pointers. */
static PetscErrorCode ReadEntries(const Sparse *x, PetscInt64 before, Rows *rows, TwofoldFault *fault)
{
  const PetscInt nnz = rows->rowptr[rows->n];
  PetscInt64 *index;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(nnz + 1, &rows->col));
  PetscCall(PetscMalloc1(nnz + 1, &rows->val));
  PetscCall(PetscMalloc1(PetscMin(nnz, hdf5_chunk) + 1, &index));
  for (PetscInt done = 0; done < nnz && !fault->code; done += PetscMin(nnz - done, hdf5_chunk)) {
    const PetscInt n = PetscMin(nnz - done, hdf5_chunk);
    HDF5ArrayReadRows_Private(&x->indices, before + done, n, H5T_NATIVE_INT64, index, fault);
    for (PetscInt k = 0; k < n && !fault->code; k++)
      rows->col[done + k] = (PetscInt)index[k] == index[k] ? (PetscInt)index[k] : -1;
  }
  PetscCall(PetscFree(index));
  HDF5ArrayRead_Private(&x->data, before, nnz, H5T_NATIVE_DOUBLE, sizeof(*rows->val), rows->val, fault);
  for (PetscInt i = 0; i < rows->n && !fault->code; i++) {
    const PetscInt at = rows->rowptr[i];
    PetscCall(DataSetTidyRow_Private(rows->path, rows->p, rows->start + i, rows->rowptr[i + 1] - at,
                                     rows->col + at, rows->val + at, fault));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadSparse(hid_t group, const char name[], Rows *rows, PetscInt64 *N,
                                 TwofoldFault *fault)
{
  PetscInt64 before = 0;
  Sparse x = {.data = {.set = -1}, .indices = {.set = -1}, .indptr = {.set = -1}};

  PetscFunctionBegin;
  OpenSparse(group, rows->path, name, &x, fault);
  *N = x.shape[0];
  if (!fault->code) {
    PetscCall(DealRows(rows, *N, x.shape[1]));
    PetscCall(ReadRowPointers(&x, rows, &before, fault));
    if (!fault->code) PetscCall(ReadEntries(&x, before, rows, fault));
  }
  CloseSparse(&x);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ load */

static void ReadLabels(hid_t file, const char name[], PetscInt64 N, Rows *rows, TwofoldFault *fault)
{
  HDF5Array y;

  HDF5ArrayOpen_Private(file, rows->path, name, 1, "a vector (a label a sample; -data_hdf5_y names it)", &y,
                        fault);
  if (!fault->code && (PetscInt64)y.dim[0] != N)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s has %" PetscInt64_FMT " samples, but %llu labels in data set '%s'", rows->path, N,
                    (unsigned long long)y.dim[0], name);
  if (!fault->code)
    HDF5ArrayRead_Private(&y, rows->start, rows->n, H5T_NATIVE_DOUBLE, sizeof(*rows->label), rows->label,
                          fault);
  for (PetscInt i = 0; i < rows->n && !fault->code; i++)
    if (PetscIsInfOrNanReal(rows->label[i]))
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: the label of row %" PetscInt_FMT " (from 0) is not a finite number", rows->path,
                      rows->start + i);
  HDF5ArrayClose_Private(&y);
}

/* Reads all this rank is to have. Nothing here waits for other ranks, so that a fault can be kept. */
static PetscErrorCode ReadFile(DataSet ds, hid_t file, Rows *rows, TwofoldFault *fault)
{
  PetscInt64 N = 0;

  PetscFunctionBegin;
  const hid_t group = H5Gopen2(file, ds->hdf5_x, H5P_DEFAULT);
  const hid_t set = group < 0 ? H5Dopen2(file, ds->hdf5_x, H5P_DEFAULT) : -1;
  if (set >= 0) H5Dclose(set);
  if (group >= 0) {
    PetscCall(ReadSparse(group, ds->hdf5_x, rows, &N, fault));
    H5Gclose(group);
  } else if (set >= 0) {
    PetscCall(ReadDense(file, ds->hdf5_x, rows, &N, fault));
  } else {
    TwofoldFaultSet(
        fault, PETSC_ERR_FILE_UNEXPECTED,
        "%s holds no data set or group '%s' for the samples; h5ls lists those it has, -data_hdf5_x "
        "names one",
        rows->path, ds->hdf5_x);
  }
  if (!fault->code && !N)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", rows->path);
  ReadLabels(file, ds->hdf5_y, N, rows, fault);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode OpenAndRead(DataSet ds, Rows *rows, TwofoldFault *fault)
{
  PetscFunctionBegin;
  const hid_t file = HDF5FileOpen_Private(PetscObjectComm((PetscObject)ds), rows->path, PETSC_FALSE);
  if (file >= 0) {
    PetscCall(ReadFile(ds, file, rows, fault));
    H5Fclose(file);
  } else {
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED, "%s is not an HDF5 file, or was cut short", rows->path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_HDF5(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  Rows rows = {.path = path};
  TwofoldFault fault = {0};
  PetscErrorCode ierr;
  PetscBool folder;

  PetscFunctionBegin;
  PetscCall(TwofoldCheckReadable(comm, path, &folder));
  PetscCheck(!folder, comm, PETSC_ERR_FILE_UNEXPECTED, "%s is a folder: a file is needed here", path);
  PetscCallMPI(MPI_Comm_rank(comm, &rows.rank));
  PetscCallMPI(MPI_Comm_size(comm, &rows.size));
  H5E_BEGIN_TRY
  {
    ierr = OpenAndRead(ds, &rows, &fault);
  }
  H5E_END_TRY
  PetscCall(ierr);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  if (!rows.col) PetscCall(PetscMalloc1(1, &rows.col));
  if (!rows.val) PetscCall(PetscMalloc1(1, &rows.val));
  PetscCall(
      DataSetTakeRows_Private(ds, rows.n, rows.rowptr, rows.col, rows.val, rows.label, rows.p, PETSC_TRUE));
  PetscCall(PetscFree(rows.label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ write */

static void WriteTextAttribute(hid_t object, const char name[], const char text[])
{
  const hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, &text);
  H5Aclose(attribute);
  H5Tclose(type);
  H5Sclose(space);
}

/* Attributes by which scipy and anndata know what the group is. */
static void WriteAttributes(hid_t group, PetscInt64 n, PetscInt64 p)
{
  const hsize_t two = 2;
  const PetscInt64 shape[2] = {n, p};
  const hid_t space = H5Screate_simple(1, &two, NULL);
  const hid_t attribute = H5Acreate2(group, "shape", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);

  H5Awrite(attribute, H5T_NATIVE_INT64, shape);
  H5Aclose(attribute);
  H5Sclose(space);
  WriteTextAttribute(group, "encoding-type", "csr_matrix");
  WriteTextAttribute(group, "encoding-version", "0.1.0");
}

/* All ranks create every object, each writes its rows. */
static PetscErrorCode WriteFile(DataSet ds, hid_t file, const char path[], PetscInt64 before, PetscInt64 nnz,
                                TwofoldFault *fault)
{
  const hid_t integer = sizeof(PetscInt) == 8 ? H5T_NATIVE_INT64 : H5T_NATIVE_INT32;
  const PetscInt n = ds->rows->n, start = ds->rows->rstart, own = ds->rowptr[n];
  PetscMPIInt rank, size;
  PetscInt64 *at;
  PetscReal *y;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PetscObjectComm((PetscObject)ds), &rank));
  PetscCallMPI(MPI_Comm_size(PetscObjectComm((PetscObject)ds), &size));
  PetscCall(PetscMalloc2(n + 1, &at, n + 1, &y));
  for (PetscInt i = 0; i <= n; i++) at[i] = before + ds->rowptr[i];
  for (PetscInt i = 0; i < n; i++) y[i] = DataSetLabelValue_Private(ds, i);
  const hid_t group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  WriteAttributes(group, ds->n, ds->p);
  HDF5ArrayWrite_Private(group, path, "data", H5T_IEEE_F64LE, nnz, before, own, H5T_NATIVE_DOUBLE, ds->val,
                         sizeof(*ds->val), fault);
  HDF5ArrayWrite_Private(group, path, "indices", ds->p > INT32_MAX ? H5T_STD_I64LE : H5T_STD_I32LE, nnz,
                         before, own, integer, ds->col, sizeof(*ds->col), fault);
  HDF5ArrayWrite_Private(group, path, "indptr", H5T_STD_I64LE, (PetscInt64)ds->n + 1, start,
                         n + (rank == size - 1), H5T_NATIVE_INT64, at, sizeof(*at), fault);
  H5Gclose(group);
  HDF5ArrayWrite_Private(file, path, "y", H5T_IEEE_F64LE, ds->n, start, n, H5T_NATIVE_DOUBLE, y, sizeof(*y),
                         fault);
  PetscCall(PetscFree2(at, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode OpenAndWrite(DataSet ds, const char path[], PetscInt64 before, PetscInt64 nnz,
                                   TwofoldFault *fault)
{
  PetscFunctionBegin;
  const hid_t file = HDF5FileOpen_Private(PetscObjectComm((PetscObject)ds), path, PETSC_TRUE);
  if (file >= 0) {
    PetscCall(WriteFile(ds, file, path, before, nnz, fault));
    if (H5Fclose(file) < 0)
      TwofoldFaultSet(fault, PETSC_ERR_FILE_WRITE, "cannot finish %s: is the disk full?", path);
  } else {
    TwofoldFaultSet(fault, PETSC_ERR_FILE_WRITE, "cannot write %s", path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetWrite_HDF5(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscInt64 mine = ds->rowptr[ds->rows->n];
  PetscInt64 before, nnz;
  TwofoldFault fault = {0};
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Scan(&mine, &before, 1, MPIU_INT64, MPI_SUM, comm));
  before -= mine;
  PetscCallMPI(MPI_Allreduce(&mine, &nnz, 1, MPIU_INT64, MPI_SUM, comm));
  H5E_BEGIN_TRY
  {
    ierr = OpenAndWrite(ds, path, before, nnz, &fault);
  }
  H5E_END_TRY
  PetscCall(ierr);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}
#else
PetscErrorCode DataSetLoad_HDF5(DataSet ds, const char path[])
{
  PetscFunctionBegin;
  SETERRQ(PetscObjectComm((PetscObject)ds), PETSC_ERR_SUP, "%s: this PETSc was built without HDF5", path);
}

PetscErrorCode DataSetWrite_HDF5(DataSet ds, const char path[])
{
  PetscFunctionBegin;
  SETERRQ(PetscObjectComm((PetscObject)ds), PETSC_ERR_SUP, "%s: this PETSc was built without HDF5", path);
}
#endif
