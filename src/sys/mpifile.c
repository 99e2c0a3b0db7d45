/* Files by MPI-IO, in blocks whose size fits an MPI count. */
#include "mpifile.h"

enum { largest_block = 64 << 20 };

/* ------------------------------------------------------------------ faults */

void TwofoldFaultSet(TwofoldFault *fault, int code, const char format[], ...)
{
  va_list arguments;

  if (fault->code) return;
  fault->code = code;
  va_start(arguments, format);
  (void)vsnprintf(fault->message, sizeof(fault->message), format, arguments);
  va_end(arguments);
}

PetscErrorCode TwofoldFaultAgree(MPI_Comm comm, const TwofoldFault *fault)
{
  PetscFunctionBegin;
  PetscCall(TwofoldAgree(comm, TwofoldErrorCode(fault->code), fault->message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void SetMPIFault(TwofoldFault *fault, int code, const char what[], const char path[], int error)
{
  char reason[MPI_MAX_ERROR_STRING] = "";
  int length;

  if (MPI_Error_string(error, reason, &length)) reason[0] = 0;
  TwofoldFaultSet(fault, code, "cannot %s %s: %s", what, path, reason);
}

/* ------------------------------------------------------------------ open and close */

PetscErrorCode TwofoldFileOpenRead(MPI_Comm comm, const char path[], MPI_File *file, PetscInt64 *bytes)
{
  TwofoldFault fault = {0};
  MPI_Offset size = 0;
  PetscBool folder;

  PetscFunctionBegin;
  PetscCall(TwofoldCheckReadable(comm, path, &folder));
  PetscCheck(!folder, comm, PETSC_ERR_FILE_UNEXPECTED, "%s is a folder: a file is needed here", path);
  int error = MPI_File_open(comm, path, MPI_MODE_RDONLY, MPI_INFO_NULL, file);
  if (error) SetMPIFault(&fault, PETSC_ERR_FILE_OPEN, "open", path, error);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  error = MPI_File_get_size(*file, &size);
  if (error) SetMPIFault(&fault, PETSC_ERR_FILE_READ, "read the size of", path, error);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  *bytes = (PetscInt64)size;
  /* Ranks deal the file by its size: they need one value even where the file is still growing. */
  PetscCallMPI(MPI_Bcast(bytes, 1, MPIU_INT64, 0, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFileOpenWrite(MPI_Comm comm, const char path[], MPI_File *file)
{
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  int error = MPI_File_open(comm, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, file);
  if (error) SetMPIFault(&fault, PETSC_ERR_FILE_WRITE, "write", path, error);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  error = MPI_File_set_size(*file, 0);
  if (error) {
    SetMPIFault(&fault, PETSC_ERR_FILE_WRITE, "empty", path, error);
    (void)MPI_File_close(file);
  }
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFileCloseWrite(MPI_Comm comm, const char path[], MPI_File *file, TwofoldFault *fault)
{
  PetscFunctionBegin;
  const int error = MPI_File_close(file);
  if (error) SetMPIFault(fault, PETSC_ERR_FILE_WRITE, "finish", path, error);
  PetscCall(TwofoldFaultAgree(comm, fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ blocks */

void TwofoldFileReadAt(MPI_File file, const char path[], PetscInt64 offset, PetscInt64 bytes, void *buffer,
                       TwofoldFault *fault)
{
  for (PetscInt64 done = 0; done < bytes && !fault->code;) {
    const int block = (int)PetscMin(bytes - done, largest_block);
    MPI_Status status;
    int got = 0;
    int error = MPI_File_read_at(file, offset + done, (char *)buffer + done, block, MPI_BYTE, &status);
    if (!error) error = MPI_Get_count(&status, MPI_BYTE, &got);
    if (error) {
      SetMPIFault(fault, PETSC_ERR_FILE_READ, "read", path, error);
    } else if (got <= 0) {
      TwofoldFaultSet(fault, PETSC_ERR_FILE_READ,
                      "%s ends at byte %" PetscInt64_FMT ": it became shorter while it was read", path,
                      offset + done);
    }
    done += got;
  }
}

void TwofoldFileWriteAt(MPI_File file, const char path[], PetscInt64 offset, PetscInt64 bytes,
                        const void *buffer, TwofoldFault *fault)
{
  for (PetscInt64 done = 0; done < bytes && !fault->code;) {
    const int block = (int)PetscMin(bytes - done, largest_block);
    MPI_Status status;
    int put = 0;
    int error = MPI_File_write_at(file, offset + done, (const char *)buffer + done, block, MPI_BYTE, &status);
    if (!error) error = MPI_Get_count(&status, MPI_BYTE, &put);
    if (error) {
      SetMPIFault(fault, PETSC_ERR_FILE_WRITE, "write", path, error);
    } else if (put <= 0) {
      TwofoldFaultSet(fault, PETSC_ERR_FILE_WRITE,
                      "cannot write %s beyond byte %" PetscInt64_FMT ": is the disk full?", path,
                      offset + done);
    }
    done += put;
  }
}
