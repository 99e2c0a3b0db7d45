/* Arrays of HDF5 files by MPI-IO. */
#include <petscsys.h>
#if defined(PETSC_HAVE_HDF5)
#include "h5file.h"

static PetscBool IsNumeric(hid_t set)
{
  const hid_t type = H5Dget_type(set);
  const H5T_class_t kind = H5Tget_class(type);

  H5Tclose(type);
  return (PetscBool)(kind == H5T_INTEGER || kind == H5T_FLOAT);
}

/* Sizes as text, such as 3 x 4. */
static void PrintShape(hid_t set, char text[128])
{
  hsize_t dim[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(set);
  const int ndims = H5Sget_simple_extent_dims(space, dim, NULL);
  size_t at = 0;

  text[0] = 0;
  for (int i = 0; i < PetscMin(ndims, 4); i++)
    at += (size_t)snprintf(text + at, 128 - at, "%s%llu", i ? " x " : "", (unsigned long long)dim[i]);
  if (ndims > 4) snprintf(text + at, 128 - at, " x ...");
  if (ndims <= 0) snprintf(text, 128, "no");
  H5Sclose(space);
}

void HDF5ArrayOpen_Private(hid_t file, const char path[], const char name[], int ndims, const char what[],
                           HDF5Array *array, TwofoldFault *fault)
{
  char shape[128];

  *array = (HDF5Array){.path = path, .set = -1, .dim = {0, 1}};
  (void)PetscStrncpy(array->name, name, sizeof(array->name));
  if (fault->code) return;
  array->set = H5Dopen2(file, name, H5P_DEFAULT);
  if (array->set < 0) {
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s holds no data set '%s': %s is needed; h5ls lists those it has", path, name, what);
    return;
  }
  const hid_t space = H5Dget_space(array->set);
  array->ndims = H5Sget_simple_extent_ndims(space);
  if (array->ndims == 1 || array->ndims == 2) H5Sget_simple_extent_dims(space, array->dim, NULL);
  H5Sclose(space);
  PrintShape(array->set, shape);
  const PetscBool column = (PetscBool)(ndims == 1 && array->ndims == 2 && array->dim[1] == 1);
  if (array->ndims != ndims && !column)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED, "%s: data set '%s' has %s entries, but %s is needed",
                    path, name, shape, what);
  if (!IsNumeric(array->set))
    TwofoldFaultSet(
        fault, PETSC_ERR_FILE_UNEXPECTED,
        "%s: data set '%s' does not hold integers or real numbers; store numbers, labels as 0, 1, ...", path,
        name);
  for (int i = 0; i < 2; i++)
    if (array->dim[i] >= (hsize_t)PETSC_MAX_INT)
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: data set '%s' has %s entries: PETSc with 64-bit indices is needed", path, name,
                      shape);
}

void HDF5ArrayClose_Private(HDF5Array *array)
{
  if (array->set >= 0) H5Dclose(array->set);
  array->set = -1;
}

void HDF5ArrayReadRows_Private(const HDF5Array *array, PetscInt64 start, PetscInt64 n, hid_t type, void *to,
                               TwofoldFault *fault)
{
  const hsize_t offset[2] = {(hsize_t)start, 0}, count[2] = {(hsize_t)n, array->dim[1]};

  if (fault->code || !n || !array->dim[1]) return;
  const hid_t from = H5Dget_space(array->set), into = H5Screate_simple(array->ndims, count, NULL);
  herr_t bad = H5Sselect_hyperslab(from, H5S_SELECT_SET, offset, NULL, count, NULL);
  if (bad >= 0) bad = H5Dread(array->set, type, into, from, H5P_DEFAULT, to);
  if (bad < 0)
    TwofoldFaultSet(
        fault, PETSC_ERR_FILE_READ,
        "%s: cannot read data set '%s': it is damaged, or compressed by a filter that HDF5 lacks here",
        array->path, array->name);
  H5Sclose(into);
  H5Sclose(from);
}

void HDF5ArrayRead_Private(const HDF5Array *array, PetscInt64 start, PetscInt64 n, hid_t type, size_t bytes,
                           void *to, TwofoldFault *fault)
{
  for (PetscInt64 done = 0; done < n; done += hdf5_chunk)
    HDF5ArrayReadRows_Private(array, start + done, PetscMin(n - done, hdf5_chunk), type,
                              (char *)to + (size_t)done * bytes, fault);
}

hid_t HDF5FileOpen_Private(MPI_Comm comm, const char path[], PetscBool write)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

  H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL);
  const hid_t file =
      write ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access) : H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}
void HDF5ArrayWrite_Private(hid_t group, const char path[], const char name[], hid_t stored, PetscInt64 N,
                            PetscInt64 start, PetscInt64 n, hid_t type, const void *from, size_t bytes,
                            TwofoldFault *fault)
{
  const hsize_t length = (hsize_t)N;
  const hid_t space = H5Screate_simple(1, &length, NULL);
  const hid_t set = H5Dcreate2(group, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  herr_t bad = set < 0 ? -1 : 0;

  for (PetscInt64 done = 0; done < n && bad >= 0; done += hdf5_chunk) {
    const hsize_t offset = (hsize_t)(start + done), count = (hsize_t)PetscMin(n - done, hdf5_chunk);
    const hid_t block = H5Screate_simple(1, &count, NULL);
    bad = H5Sselect_hyperslab(space, H5S_SELECT_SET, &offset, NULL, &count, NULL);
    if (bad >= 0)
      bad = H5Dwrite(set, type, block, space, H5P_DEFAULT, (const char *)from + (size_t)done * bytes);
    H5Sclose(block);
  }
  if (set >= 0 && H5Dclose(set) < 0) bad = -1;
  H5Sclose(space);
  if (bad < 0)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_WRITE, "cannot write data set '%s' of %s: is the disk full?", name,
                    path);
}
#endif
