/* Vectors from files: text, PETSc binary, HDF5. */
#include "number.h"
#include "petscfile.h"
#include <ctype.h>
#if defined(PETSC_HAVE_HDF5)
#include <petsclayouthdf5.h>
#endif

/* Consecutive numbers of the file that this rank read. */
typedef struct {
  PetscInt start, n;
  PetscScalar *value;
} Piece;

/* The file's length must be the vector's. Collective. */
static PetscErrorCode CheckLength(Vec x, const char path[], PetscInt64 length)
{
  PetscInt N;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x, &N));
  PetscCheck(length == N, PetscObjectComm((PetscObject)x), PETSC_ERR_FILE_UNEXPECTED,
             "%s holds %" PetscInt64_FMT " numbers, but the vector has %" PetscInt_FMT " entries", path,
             length, N);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ text */

static const char *SkipSpace(const char *s)
{
  while (isspace((unsigned char)*s)) s++;
  return s;
}

/* The number of one line; *any is false for a blank line and a comment. */
static PetscReal ParseLine(const char path[], PetscInt number, const char line[], PetscBool *any,
                           TwofoldFault *fault)
{
  const char *const word = SkipSpace(line), *at = word;
  PetscReal x = 0;
  char quoted[48];

  *any = (PetscBool)(*word && *word != '#' && *word != '%');
  if (!*any) return 0;
  const PetscBool good = TwofoldScanReal(&at, &x);
  if (!good || *SkipSpace(at) || PetscIsInfReal(x))
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s:%" PetscInt_FMT ": '%s' is not one finite number; write one number a line", path,
                    number, TwofoldQuoteWord(word, quoted));
  return x;
}

static PetscErrorCode ReadText(Vec x, const char path[], Piece *piece)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  TwofoldFault fault = {0};
  TwofoldLines lines;
  PetscInt64 mine, upto, total;

  PetscFunctionBegin;
  PetscCall(TwofoldLinesRead(comm, path, &lines));
  PetscCall(PetscMalloc1(lines.nlines + 1, &piece->value));
  for (PetscInt i = 0; i < lines.nlines && !fault.code; i++) {
    PetscBool any;
    piece->value[piece->n] = ParseLine(path, lines.first + i, lines.line[i], &any, &fault);
    piece->n += any ? 1 : 0;
  }
  PetscCall(TwofoldLinesDestroy(&lines));
  PetscCall(TwofoldFaultAgree(comm, &fault));
  mine = piece->n;
  PetscCallMPI(MPI_Scan(&mine, &upto, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(&mine, &total, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCall(CheckLength(x, path, total));
  piece->start = (PetscInt)(upto - mine);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ PETSc binary */

static PetscErrorCode ReadBinary(Vec x, const char path[], Piece *piece)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  TwofoldFault fault = {0};
  TwofoldPetscFile f;
  PetscInt64 header[2] = {0, 0};
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(TwofoldPetscFileOpen(comm, path, &f));
  PetscCall(TwofoldPetscFileHeader(&f, 0, 2, header, &found));
  PetscCheck(found && header[0] == VEC_FILE_CLASSID, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s holds %s, not a vector: write it by VecView()", path, TwofoldPetscFileClass(header[0]));
  PetscCall(CheckLength(x, path, header[1]));
  const PetscInt64 begin = 2 * f.intsize, width = (PetscInt64)sizeof(PetscScalar);
  PetscCheck(f.size - begin >= header[1] * width, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s ends too early: a vector of %" PetscInt64_FMT " entries takes %" PetscInt64_FMT
             " bytes, the file has %" PetscInt64_FMT,
             path, header[1], begin + header[1] * width, f.size);
  PetscCall(VecGetOwnershipRange(x, &piece->start, NULL));
  PetscCall(VecGetLocalSize(x, &piece->n));
  PetscCall(PetscMalloc1(piece->n + 1, &piece->value));
  PetscCall(TwofoldPetscFileReadScalars(&f, begin + piece->start * width, piece->n, piece->value, &fault));
  PetscCall(TwofoldPetscFileClose(&f));
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ HDF5 */

#if defined(PETSC_HAVE_HDF5)
enum { h5_good, h5_no_file, h5_no_dataset, h5_no_numbers };

/* Looks into the file without PETSc, whose calls cannot tell these cases apart; *length is the number of
   entries of the data set. */
static int ProbeDataset(hid_t file, const char name[], PetscInt64 *length)
{
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) return h5_no_dataset;
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const H5T_class_t kind = H5Tget_class(type);
  const int ndims = H5Sget_simple_extent_ndims(space);

  *length = (PetscInt64)H5Sget_simple_extent_npoints(space);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(set);
  return (kind == H5T_FLOAT || kind == H5T_INTEGER) && ndims >= 1 && ndims <= 2 ? h5_good : h5_no_numbers;
}

/* Opens by MPI-IO on this rank alone: as PETSc will, so without the locks some file systems lack. */
static int ProbeFile(const char path[], const char name[], PetscInt64 *length)
{
  int verdict = h5_no_file;

  H5E_BEGIN_TRY
  {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_mpio(access, MPI_COMM_SELF, MPI_INFO_NULL);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file >= 0) {
      verdict = ProbeDataset(file, name, length);
      H5Fclose(file);
    }
    H5Pclose(access);
  }
  H5E_END_TRY
  return verdict;
}

static PetscErrorCode CheckHDF5(Vec x, const char path[], const char name[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  PetscInt64 seen[2] = {h5_good, 0};
  PetscMPIInt rank;
  PetscBool folder;

  PetscFunctionBegin;
  PetscCall(TwofoldCheckReadable(comm, path, &folder));
  PetscCheck(!folder, comm, PETSC_ERR_FILE_UNEXPECTED, "%s is a folder: a file is needed here", path);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) seen[0] = ProbeFile(path, name, &seen[1]);
  PetscCallMPI(MPI_Bcast(seen, 2, MPIU_INT64, 0, comm));
  PetscCheck(seen[0] != h5_no_file, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is not an HDF5 file, or was cut short", path);
  PetscCheck(seen[0] != h5_no_dataset, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s holds no data set named '%s'; h5ls lists those it has", path, name);
  PetscCheck(seen[0] != h5_no_numbers, comm, PETSC_ERR_FILE_UNEXPECTED,
             "data set '%s' of %s is not a vector: real numbers in one or two dimensions", name, path);
  PetscCall(CheckLength(x, path, seen[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The file decides the block size, which need not be x's: a vector without sizes takes any. */
static PetscErrorCode ReadHDF5(Vec x, const char path[], Piece *piece)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  const PetscScalar *entry;
  const char *name;
  PetscInt N;
  PetscViewer viewer;
  Vec y;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetName((PetscObject)x, &name));
  PetscCall(CheckHDF5(x, path, name));
  PetscCall(PetscViewerHDF5Open(comm, path, FILE_MODE_READ, &viewer));
  PetscCall(VecCreate(comm, &y));
  PetscCall(PetscObjectSetName((PetscObject)y, name));
  PetscCall(VecLoad(y, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(VecGetSize(y, &N));
  PetscCall(CheckLength(x, path, N));
  PetscCall(VecGetOwnershipRange(y, &piece->start, NULL));
  PetscCall(VecGetLocalSize(y, &piece->n));
  PetscCall(PetscMalloc1(piece->n + 1, &piece->value));
  PetscCall(VecGetArrayRead(y, &entry));
  PetscCall(PetscArraycpy(piece->value, entry, piece->n));
  PetscCall(VecRestoreArrayRead(y, &entry));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}
#else
static PetscErrorCode ReadHDF5(Vec x, const char path[], Piece *piece)
{
  PetscFunctionBegin;
  (void)piece;
  SETERRQ(PetscObjectComm((PetscObject)x), PETSC_ERR_SUP, "%s: this PETSc was built without HDF5", path);
}
#endif

/* ------------------------------------------------------------------ any */

static PetscErrorCode CheckFinite(Vec x, const char path[], const Piece *piece)
{
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  for (PetscInt i = 0; i < piece->n && !fault.code; i++)
    if (PetscIsInfOrNanScalar(piece->value[i]))
      TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED, "%s: entry %" PetscInt_FMT " is not a finite number",
                      path, piece->start + i);
  PetscCall(TwofoldFaultAgree(PetscObjectComm((PetscObject)x), &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sends the pieces to the ranks that own the entries. */
static PetscErrorCode Place(Vec x, const Piece *piece)
{
  enum { chunk = 4096 };
  PetscInt index[chunk];

  PetscFunctionBegin;
  for (PetscInt done = 0; done < piece->n;) {
    const PetscInt block = PetscMin(piece->n - done, chunk);
    for (PetscInt i = 0; i < block; i++) index[i] = piece->start + done + i;
    PetscCall(VecSetValues(x, block, index, piece->value + done, INSERT_VALUES));
    done += block;
  }
  PetscCall(VecAssemblyBegin(x));
  PetscCall(VecAssemblyEnd(x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldVecLoad(Vec x, const char path[])
{
  PetscBool text, hdf5;
  Piece piece = {0};

  PetscFunctionBegin;
  PetscCall(PetscStrendswith(path, ".txt", &text));
  PetscCall(PetscStrendswith(path, ".h5", &hdf5));
  if (text)
    PetscCall(ReadText(x, path, &piece));
  else if (hdf5)
    PetscCall(ReadHDF5(x, path, &piece));
  else
    PetscCall(ReadBinary(x, path, &piece));
  PetscCall(CheckFinite(x, path, &piece));
  PetscCall(Place(x, &piece));
  PetscCall(PetscFree(piece.value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldVecRestore(Vec x, PetscViewer viewer)
{
  const char *path;

  PetscFunctionBegin;
  PetscCall(PetscViewerFileGetName(viewer, &path));
  PetscCall(TwofoldVecLoad(x, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}
