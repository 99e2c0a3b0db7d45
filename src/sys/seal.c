/* Seals of files: a line of text behind a file's own bytes tells how many they are and their CRC-32, so that
   a file that was cut off or has a bit flipped is known without a look at its format. HDF5 ignores what is
   behind its end. Ranks read a share each, and zlib joins the sums. */
#include <string.h>
#include <zlib.h>
#include "mpifile.h"

enum { seal_length = 64, read_block = 4 << 20 };
static const char seal_format[] = "\ntwofold seal: crc32 %08lx of %20" PetscInt64_FMT " bytes    \n";

/* The message of the lowest rank that has one, on every rank. Collective on comm. */
static PetscErrorCode ShareMessage(MPI_Comm comm, char message[], size_t len)
{
  PetscMPIInt rank, size, first;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const PetscMPIInt mine = message[0] ? rank : size;
  PetscCallMPI(MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm));
  if (first < size) PetscCallMPI(MPI_Bcast(message, (int)len, MPI_CHAR, first, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* CRC-32 of `bytes` bytes from `offset` on. */
static PetscErrorCode ChecksumShare(MPI_File file, const char path[], PetscInt64 offset, PetscInt64 bytes,
                                    uLong *crc, TwofoldFault *fault)
{
  Bytef *buffer;

  PetscFunctionBegin;
  *crc = crc32(0, NULL, 0);
  PetscCall(PetscMalloc1(read_block, &buffer));
  for (PetscInt64 done = 0; done < bytes && !fault->code;) {
    const PetscInt64 block = PetscMin(bytes - done, (PetscInt64)read_block);
    TwofoldFileReadAt(file, path, offset + done, block, buffer, fault);
    if (!fault->code) *crc = crc32(*crc, buffer, (uInt)block);
    done += block;
  }
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* CRC-32 of a file's first `bytes` bytes, on every rank; where a rank cannot read its share, fault says so
   there. Collective on comm. */
static PetscErrorCode Checksum(MPI_Comm comm, MPI_File file, const char path[], PetscInt64 bytes, uLong *crc,
                               TwofoldFault *fault)
{
  PetscMPIInt rank, size;
  PetscInt64 all[2] = {0, 0}, *every;
  uLong share;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const PetscInt64 each = bytes / size, rest = bytes % size;
  const PetscInt64 first = each * rank + PetscMin(rank, rest);
  all[0] = each + (rank < rest);
  PetscCall(ChecksumShare(file, path, first, all[0], &share, fault));
  all[1] = (PetscInt64)share;
  PetscCall(PetscMalloc1(2 * size, &every));
  PetscCallMPI(MPI_Allgather(all, 2, MPIU_INT64, every, 2, MPIU_INT64, comm));
  *crc = crc32(0, NULL, 0);
  for (PetscMPIInt r = 0; r < size; r++)
    *crc = crc32_combine(*crc, (uLong)every[2 * r + 1], (z_off_t)every[2 * r]);
  PetscCall(PetscFree(every));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFileSeal(MPI_Comm comm, const char path[])
{
  TwofoldFault fault = {0};
  char seal[seal_length + 1];
  PetscMPIInt rank;
  PetscInt64 bytes;
  MPI_File file;
  uLong crc;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(TwofoldFileOpenRead(comm, path, &file, &bytes));
  PetscCall(Checksum(comm, file, path, bytes, &crc, &fault));
  (void)MPI_File_close(&file);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  if (rank == 0) {
    FILE *const end = fopen(path, "ab");
    (void)snprintf(seal, sizeof(seal), seal_format, crc, bytes);
    if (!end || fwrite(seal, 1, seal_length, end) != seal_length)
      TwofoldFaultSet(&fault, PETSC_ERR_FILE_WRITE, "cannot write %s: is the disk full?", path);
    if (end && fclose(end))
      TwofoldFaultSet(&fault, PETSC_ERR_FILE_WRITE, "cannot write %s: is the disk full?", path);
  }
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0 reads what the seal says; the others hear of it. A seal is right to the last byte or none. */
static PetscErrorCode ReadSeal(MPI_Comm comm, MPI_File file, const char path[], PetscInt64 bytes,
                               PetscInt64 says[2], TwofoldFault *fault)
{
  char seal[seal_length + 1] = "", again[seal_length + 1];
  unsigned long crc = 0;
  PetscMPIInt rank;
  PetscInt64 inside = bytes - seal_length;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  says[0] = says[1] = -1;
  if (rank == 0 && inside >= 0) {
    TwofoldFileReadAt(file, path, inside, seal_length, seal, fault);
    if (!fault->code && sscanf(seal, "\ntwofold seal: crc32 %8lx of", &crc) == 1) {
      (void)snprintf(again, sizeof(again), seal_format, crc, inside);
      if (!memcmp(seal, again, seal_length)) {
        says[0] = inside;
        says[1] = (PetscInt64)crc;
      }
    }
  }
  PetscCallMPI(MPI_Bcast(says, 2, MPIU_INT64, 0, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFileCheckSeal(MPI_Comm comm, const char path[], char why[], size_t len)
{
  TwofoldFault fault = {0};
  PetscInt64 bytes, says[2];
  MPI_File file;
  uLong crc = 0;

  PetscFunctionBegin;
  why[0] = 0;
  PetscCall(TwofoldFileOpenRead(comm, path, &file, &bytes));
  PetscCall(ReadSeal(comm, file, path, bytes, says, &fault));
  if (says[0] >= 0) PetscCall(Checksum(comm, file, path, says[0], &crc, &fault));
  (void)MPI_File_close(&file);
  if (fault.code)
    PetscCall(PetscStrncpy(why, fault.message, len));
  else if (says[0] < 0)
    PetscCall(PetscStrncpy(why, "it has no seal at its end: it was cut off, or never finished", len));
  else if ((PetscInt64)crc != says[1])
    PetscCall(PetscSNPrintf(why, len, "its bytes have the checksum %08lx, and its seal says %08lx",
                            (unsigned long)crc, (unsigned long)says[1]));
  PetscCall(ShareMessage(comm, why, len));
  PetscFunctionReturn(PETSC_SUCCESS);
}
