/* A group of an HDF5 file and the small things in it. */
#include <petscviewerhdf5.h>
#include <twofold/impl/groupimpl.h>
#include "mpifile.h"

struct _TwofoldGroup {
  MPI_Comm comm;
  char *path, *name;
  hid_t file, group; /* file: only where it was opened here; while reading, both on rank 0 alone */
};

static PetscErrorCode GroupNew(MPI_Comm comm, const char path[], const char name[], TwofoldGroup *group)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(group));
  (*group)->comm = comm;
  (*group)->file = (*group)->group = -1;
  PetscCall(PetscStrallocpy(path, &(*group)->path));
  PetscCall(PetscStrallocpy(name, &(*group)->name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupClose(TwofoldGroup *group)
{
  PetscFunctionBegin;
  if (!*group) PetscFunctionReturn(PETSC_SUCCESS);
  if ((*group)->group >= 0) H5Gclose((*group)->group);
  if ((*group)->file >= 0) H5Fclose((*group)->file);
  PetscCall(PetscFree((*group)->path));
  PetscCall(PetscFree((*group)->name));
  PetscCall(PetscFree(*group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *TwofoldGroupPath(TwofoldGroup group)
{
  return group->path;
}

/* ------------------------------------------------------------------ write */

PetscErrorCode TwofoldGroupCreate(PetscViewer viewer, const char name[], TwofoldGroup *group)
{
  const char *path;
  hid_t file;

  PetscFunctionBegin;
  PetscCall(PetscViewerFileGetName(viewer, &path));
  PetscCall(PetscViewerHDF5GetFileId(viewer, &file));
  PetscCall(GroupNew(PetscObjectComm((PetscObject)viewer), path, name, group));
  (*group)->group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  PetscCheck((*group)->group >= 0, (*group)->comm, PETSC_ERR_FILE_WRITE, "cannot write group %s of %s", name,
             path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckWritten(TwofoldGroup group, const char name[], int failed)
{
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  if (failed)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_WRITE, "cannot write %s/%s of %s: is the disk full?", group->name,
                    name, group->path);
  PetscCall(TwofoldFaultAgree(group->comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PutAttribute(TwofoldGroup group, const char name[], hid_t filetype, hid_t memtype,
                                   const void *value)
{
  PetscFunctionBegin;
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(group->group, name, filetype, space, H5P_DEFAULT, H5P_DEFAULT);
  const int failed = attribute < 0 || H5Awrite(attribute, memtype, value) < 0;
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  PetscCall(CheckWritten(group, name, failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupPutInt(TwofoldGroup group, const char name[], PetscInt64 value)
{
  PetscFunctionBegin;
  PetscCall(PutAttribute(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Strings of up to `length` bytes, filled up with zeros. */
static hid_t StringType(size_t length)
{
  const hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, PetscMax(length, 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

PetscErrorCode TwofoldGroupPutString(TwofoldGroup group, const char name[], const char value[])
{
  PetscFunctionBegin;
  const hid_t type = StringType(strlen(value));
  PetscCall(PutAttribute(group, name, type, type, value));
  H5Tclose(type);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A list of n elements, of which this rank writes nlocal from `begin` on. */
static PetscErrorCode PutList(TwofoldGroup group, const char name[], hid_t filetype, hid_t memtype,
                              PetscInt64 n, PetscInt64 begin, PetscInt64 nlocal, const void *value)
{
  const hsize_t size = (hsize_t)n, start = (hsize_t)begin, count = (hsize_t)nlocal;
  int failed;

  PetscFunctionBegin;
  const hid_t all = H5Screate_simple(1, &size, NULL);
  const hid_t set = H5Dcreate2(group->group, name, filetype, all, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  failed = set < 0;
  if (!failed && nlocal) {
    const hid_t part = H5Screate_simple(1, &count, NULL);
    failed = H5Sselect_hyperslab(all, H5S_SELECT_SET, &start, NULL, &count, NULL) < 0 ||
             H5Dwrite(set, memtype, part, all, H5P_DEFAULT, value) < 0;
    H5Sclose(part);
  }
  if (set >= 0) H5Dclose(set);
  H5Sclose(all);
  PetscCall(CheckWritten(group, name, failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupPutReals(TwofoldGroup group, const char name[], PetscInt n,
                                    const PetscReal value[])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(group->comm, &rank));
  PetscCall(PutList(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, n, 0, rank ? 0 : n, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupPutStrings(TwofoldGroup group, const char name[], PetscInt n,
                                      const char *const value[])
{
  PetscMPIInt rank;
  size_t width = 1;
  char *all;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(group->comm, &rank));
  for (PetscInt i = 0; i < n; i++) width = PetscMax(width, strlen(value[i]));
  PetscCall(PetscCalloc1((size_t)n * width + 1, &all));
  for (PetscInt i = 0; i < n; i++)
    PetscCall(PetscMemcpy(all + (size_t)i * width, value[i], strlen(value[i])));
  const hid_t type = StringType(width);
  PetscCall(PutList(group, name, type, type, n, 0, rank ? 0 : n, all));
  H5Tclose(type);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How elements of a list in pieces are in memory, and in the file. */
static hid_t NativeType(PetscDataType type)
{
  if (type == PETSC_CHAR) return H5T_NATIVE_UCHAR;
  if (type == PETSC_REAL) return H5T_NATIVE_DOUBLE;
  return sizeof(PetscInt) == sizeof(PetscInt64) ? H5T_NATIVE_INT64 : H5T_NATIVE_INT32;
}

static hid_t FileType(PetscDataType type)
{
  return type == PETSC_CHAR ? H5T_STD_U8LE : type == PETSC_REAL ? H5T_IEEE_F64LE : H5T_STD_I64LE;
}

PetscErrorCode TwofoldGroupPutPieces(TwofoldGroup group, const char name[], PetscDataType type,
                                     PetscInt64 nlocal, const void *value)
{
  PetscInt64 n, upto;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(&nlocal, &n, 1, MPIU_INT64, MPI_SUM, group->comm));
  PetscCallMPI(MPI_Scan(&nlocal, &upto, 1, MPIU_INT64, MPI_SUM, group->comm));
  PetscCall(PutList(group, name, FileType(type), NativeType(type), n, upto - nlocal, nlocal, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ read, within H5E_BEGIN_TRY */

/* By MPI-IO on this rank alone: as PETSc will, so without the locks some file systems lack. */
static hid_t OpenAlone(const char path[])
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

  H5Pset_fapl_mpio(access, MPI_COMM_SELF, MPI_INFO_NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

/* The attribute as `kind`, whose size must be at most `most`; returns whether it was read. */
static PetscBool ReadAttribute(hid_t group, const char name[], H5T_class_t kind, size_t most, void *value)
{
  const hid_t attribute = group >= 0 ? H5Aopen(group, name, H5P_DEFAULT) : -1;
  PetscBool read = PETSC_FALSE;

  if (attribute < 0) return PETSC_FALSE;
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (H5Tget_class(type) == kind && H5Tget_size(type) <= most && H5Sget_simple_extent_npoints(space) == 1 &&
      !(kind == H5T_STRING && H5Tis_variable_str(type) != 0))
    read = (PetscBool)(H5Aread(attribute, kind == H5T_INTEGER ? H5T_NATIVE_INT64 : type, value) >= 0);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return read;
}

static PetscInt64 CountElements(hid_t group, const char name[])
{
  const hid_t set =
      group >= 0 && H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;

  if (set < 0) return -1;
  const hid_t space = H5Dget_space(set);
  const PetscInt64 n = (PetscInt64)H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Dclose(set);
  return n;
}

/* Elements [begin, begin + n) of a list of numbers. */
static PetscBool ReadNumbers(hid_t group, const char name[], H5T_class_t kind, hid_t memtype,
                             PetscInt64 begin, PetscInt64 n, void *value)
{
  const hsize_t start = (hsize_t)begin, count = (hsize_t)n;
  const hid_t set = group >= 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
  PetscBool read = PETSC_FALSE;

  if (set < 0) return PETSC_FALSE;
  const hid_t type = H5Dget_type(set), all = H5Dget_space(set), part = H5Screate_simple(1, &count, NULL);
  if (H5Tget_class(type) == kind && H5Sget_simple_extent_ndims(all) == 1 &&
      begin + n <= (PetscInt64)H5Sget_simple_extent_npoints(all))
    read = (PetscBool)(H5Sselect_hyperslab(all, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
                       H5Dread(set, memtype, part, all, H5P_DEFAULT, value) >= 0);
  H5Sclose(part);
  H5Sclose(all);
  H5Tclose(type);
  H5Dclose(set);
  return read;
}

/* All of a list of strings of fixed width, which PetscMalloc gives the room for. */
static PetscErrorCode ReadStrings(hid_t group, const char name[], PetscInt n, PetscInt *width, char **all,
                                  PetscBool *read)
{
  const hid_t set = H5Dopen2(group, name, H5P_DEFAULT);

  PetscFunctionBegin;
  *read = PETSC_FALSE;
  if (set < 0) PetscFunctionReturn(PETSC_SUCCESS);
  const hid_t type = H5Dget_type(set);
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
    *width = (PetscInt)H5Tget_size(type);
    PetscCall(PetscCalloc1((size_t)n * (size_t)*width + 1, all));
    *read = (PetscBool)(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *all) >= 0);
  }
  H5Tclose(type);
  H5Dclose(set);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ read */

PetscErrorCode TwofoldGroupOpen(MPI_Comm comm, const char path[], const char name[], TwofoldGroup *group)
{
  PetscMPIInt rank;
  PetscBool folder;
  int found[2] = {0, 0}; /* an HDF5 file; the group */

  PetscFunctionBegin;
  *group = NULL;
  PetscCall(TwofoldCheckReadable(comm, path, &folder));
  PetscCheck(!folder, comm, PETSC_ERR_FILE_UNEXPECTED, "%s is a folder: a file is needed here", path);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(GroupNew(comm, path, name, group));
  if (rank == 0) {
    H5E_BEGIN_TRY
    {
      (*group)->file = OpenAlone(path);
      found[0] = (*group)->file >= 0;
      if (found[0] && H5Lexists((*group)->file, name, H5P_DEFAULT) > 0)
        (*group)->group = H5Gopen2((*group)->file, name, H5P_DEFAULT);
      found[1] = (*group)->group >= 0;
    }
    H5E_END_TRY
  }
  PetscCallMPI(MPI_Bcast(found, 2, MPI_INT, 0, comm));
  if (!found[1]) PetscCall(TwofoldGroupClose(group));
  PetscCheck(found[0], comm, PETSC_ERR_FILE_UNEXPECTED, "%s is not an HDF5 file, or was cut short", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Raises on every rank where rank 0 could not read a thing. */
static PetscErrorCode CheckRead(TwofoldGroup group, const char name[], PetscBool read, const char what[])
{
  PetscMPIInt rank;
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(group->comm, &rank));
  if (rank == 0 && !read)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: '%s/%s' is missing or is not %s: the file is damaged", group->path, group->name,
                    name, what);
  PetscCall(TwofoldFaultAgree(group->comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupHas(TwofoldGroup group, const char name[], PetscBool *has, PetscInt64 *n)
{
  PetscInt64 count = -1;

  PetscFunctionBegin;
  H5E_BEGIN_TRY
  {
    count = CountElements(group->group, name);
  }
  H5E_END_TRY
  PetscCallMPI(MPI_Bcast(&count, 1, MPIU_INT64, 0, group->comm));
  *has = (PetscBool)(count >= 0);
  if (n) *n = PetscMax(count, 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupGetInt(TwofoldGroup group, const char name[], PetscInt64 *value)
{
  PetscBool read = PETSC_FALSE;

  PetscFunctionBegin;
  H5E_BEGIN_TRY
  {
    read = ReadAttribute(group->group, name, H5T_INTEGER, sizeof(*value), value);
  }
  H5E_END_TRY
  PetscCall(CheckRead(group, name, read, "a whole number"));
  PetscCallMPI(MPI_Bcast(value, 1, MPIU_INT64, 0, group->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupGetString(TwofoldGroup group, const char name[], char value[], size_t len)
{
  PetscBool read = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(value, len));
  H5E_BEGIN_TRY
  {
    read = ReadAttribute(group->group, name, H5T_STRING, len - 1, value);
  }
  H5E_END_TRY
  PetscCall(CheckRead(group, name, read, "a word"));
  PetscCallMPI(MPI_Bcast(value, (PetscMPIInt)len, MPI_CHAR, 0, group->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupGetReals(TwofoldGroup group, const char name[], PetscInt n, PetscReal value[])
{
  PetscBool read = PETSC_FALSE;

  PetscFunctionBegin;
  H5E_BEGIN_TRY
  {
    if (CountElements(group->group, name) == n)
      read = ReadNumbers(group->group, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, 0, n, value);
  }
  H5E_END_TRY
  PetscCall(CheckRead(group, name, read, "as many numbers as it should be"));
  PetscCallMPI(MPI_Bcast(value, (PetscMPIInt)n, MPIU_REAL, 0, group->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupGetStrings(TwofoldGroup group, const char name[], PetscInt n, char **value[])
{
  PetscErrorCode ierr = PETSC_SUCCESS;
  PetscBool read = PETSC_FALSE;
  PetscMPIInt rank;
  PetscInt width = 0;
  char *all = NULL;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(group->comm, &rank));
  H5E_BEGIN_TRY
  {
    if (CountElements(group->group, name) == n)
      ierr = ReadStrings(group->group, name, n, &width, &all, &read);
  }
  H5E_END_TRY
  PetscCall(ierr);
  PetscCall(CheckRead(group, name, read, "as many words as it should be"));
  PetscCallMPI(MPI_Bcast(&width, 1, MPIU_INT, 0, group->comm));
  if (rank) PetscCall(PetscMalloc1((size_t)n * (size_t)width + 1, &all));
  PetscCallMPI(MPI_Bcast(all, (PetscMPIInt)(n * width), MPI_CHAR, 0, group->comm));
  PetscCall(PetscMalloc1(n + 1, value));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(PetscCalloc1((size_t)width + 1, &(*value)[i]));
    PetscCall(PetscMemcpy((*value)[i], all + (size_t)i * (size_t)width, (size_t)width));
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldGroupGetPieces(TwofoldGroup group, const char name[], PetscDataType type,
                                     PetscInt64 begin, PetscInt64 n, void *value)
{
  PetscBool read = (PetscBool)(n == 0);
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  H5E_BEGIN_TRY
  {
    const hid_t file = n ? OpenAlone(group->path) : -1;
    const hid_t at = file >= 0 ? H5Gopen2(file, group->name, H5P_DEFAULT) : -1;
    if (at >= 0) {
      read = ReadNumbers(at, name, type == PETSC_REAL ? H5T_FLOAT : H5T_INTEGER, NativeType(type), begin, n,
                         value);
      H5Gclose(at);
    }
    if (file >= 0) H5Fclose(file);
  }
  H5E_END_TRY
  if (!read)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: '%s/%s' is missing or cannot be read: the file is damaged", group->path, group->name,
                    name);
  PetscCall(TwofoldFaultAgree(group->comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}
