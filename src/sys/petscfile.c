/* PETSc's binary files, read and written by byte ranges on all ranks at once. */
#include "petscfile.h"
#include <petscmat.h>

/* Numbers converted at a time: bounds the second buffer that a change of width or a write needs. */
enum { chunk = 1 << 17 };

static uint64_t BigEndian(const unsigned char *byte, PetscInt64 n)
{
  uint64_t x = 0;

  for (PetscInt64 i = 0; i < n; i++) x = x << 8 | byte[i];
  return x;
}

static PetscInt64 DecodeInt(const unsigned char *byte, PetscInt size)
{
  const uint64_t x = BigEndian(byte, size);
  return size == 4 ? (PetscInt64)(int32_t)(uint32_t)x : (PetscInt64)x;
}

static PetscBool IsClassId(PetscInt64 id)
{
  return (PetscBool)(id >= REAL_FILE_CLASSID && id <= REAL_FILE_CLASSID + 20);
}

/* ------------------------------------------------------------------ reading */

PetscErrorCode TwofoldPetscFileOpen(MPI_Comm comm, const char path[], TwofoldPetscFile *f)
{
  PetscInt64 id = 0;
  PetscBool found;

  PetscFunctionBegin;
  *f = (TwofoldPetscFile){.comm = comm, .path = path};
  PetscCall(TwofoldFileOpenRead(comm, path, &f->file, &f->size));
  for (f->intsize = 4; f->intsize <= 8; f->intsize += 4) {
    PetscCall(TwofoldPetscFileHeader(f, 0, 1, &id, &found));
    if (found && IsClassId(id)) PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(TwofoldPetscFileClose(f));
  SETERRQ(comm, PETSC_ERR_FILE_UNEXPECTED,
          "%s is not a PETSc binary file: it does not begin with the number of a PETSc class", path);
}

PetscErrorCode TwofoldPetscFileClose(TwofoldPetscFile *f)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_File_close(&f->file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldPetscFileHeader(TwofoldPetscFile *f, PetscInt64 offset, int n, PetscInt64 header[],
                                      PetscBool *found)
{
  unsigned char bytes[4 * 8];
  TwofoldFault fault = {0};
  PetscMPIInt rank;

  PetscFunctionBegin;
  *found = (PetscBool)(n * f->intsize <= f->size - offset);
  if (!*found) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  if (rank == 0) TwofoldFileReadAt(f->file, f->path, offset, n * f->intsize, bytes, &fault);
  PetscCall(TwofoldFaultAgree(f->comm, &fault));
  PetscCallMPI(MPI_Bcast(bytes, (PetscMPIInt)(n * f->intsize), MPI_BYTE, 0, f->comm));
  for (int i = 0; i < n; i++) header[i] = DecodeInt(bytes + i * f->intsize, f->intsize);
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *TwofoldPetscFileClass(PetscInt64 classid)
{
  switch (classid) {
  case MAT_FILE_CLASSID:
    return "a Mat";
  case VEC_FILE_CLASSID:
    return "a Vec";
  case IS_FILE_CLASSID:
    return "an IS";
  default:
    return IsClassId(classid) ? "another PETSc object" : "no PETSc object";
  }
}

PetscErrorCode TwofoldPetscFileReadInts(TwofoldPetscFile *f, PetscInt64 offset, PetscInt n, PetscInt value[],
                                        TwofoldFault *fault)
{
  unsigned char *bytes;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(PetscMin(n, chunk) * f->intsize + 1, &bytes));
  for (PetscInt64 done = 0; done < n && !fault->code; done += chunk) {
    const PetscInt block = (PetscInt)PetscMin(n - done, chunk);
    const PetscInt64 at = offset + done * f->intsize;
    TwofoldFileReadAt(f->file, f->path, at, (PetscInt64)block * f->intsize, bytes, fault);
    for (PetscInt i = 0; i < block && !fault->code; i++) {
      const PetscInt64 x = DecodeInt(bytes + i * f->intsize, f->intsize);
      value[done + i] = (PetscInt)x;
      if (value[done + i] != x)
        TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                        "%s: the integer %" PetscInt64_FMT " at byte %" PetscInt64_FMT
                        " needs PETSc with 64-bit indices",
                        f->path, x, at + (PetscInt64)i * f->intsize);
    }
  }
  PetscCall(PetscFree(bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldPetscFileReadScalars(TwofoldPetscFile *f, PetscInt64 offset, PetscInt n,
                                           PetscScalar value[], TwofoldFault *fault)
{
  PetscFunctionBegin;
  TwofoldFileReadAt(f->file, f->path, offset, (PetscInt64)n * (PetscInt64)sizeof(PetscScalar), value, fault);
  if (!fault->code && !PetscBinaryBigEndian()) PetscCall(PetscByteSwap(value, PETSC_SCALAR, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ writing */

PetscErrorCode TwofoldPetscFileWrite(MPI_File file, const char path[], PetscInt64 offset, PetscInt n,
                                     const void *value, PetscDataType type, TwofoldFault *fault)
{
  size_t size;
  char *bytes;

  PetscFunctionBegin;
  PetscCall(PetscDataTypeGetSize(type, &size));
  PetscCall(PetscMalloc1((size_t)PetscMin(n, chunk) * size + 1, &bytes));
  for (PetscInt64 done = 0; done < n && !fault->code; done += chunk) {
    const PetscInt block = (PetscInt)PetscMin(n - done, chunk);
    const size_t at = (size_t)done * size;
    PetscCall(PetscMemcpy(bytes, (const char *)value + at, (size_t)block * size));
    if (!PetscBinaryBigEndian()) PetscCall(PetscByteSwap(bytes, type, block));
    TwofoldFileWriteAt(file, path, offset + (PetscInt64)at, (PetscInt64)((size_t)block * size), bytes, fault);
  }
  PetscCall(PetscFree(bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}
