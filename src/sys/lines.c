/* The lines of a text file, dealt to ranks by byte ranges. */
#include "mpifile.h"

/* First byte of rank r's range: floor(r size / nranks), in an order that cannot overflow. */
static PetscInt64 RangeStart(PetscInt64 size, PetscMPIInt nranks, PetscMPIInt r)
{
  return size / nranks * r + size % nranks * r / nranks;
}

/* A growing piece of the file: bytes [from, from + n). */
typedef struct {
  MPI_File file;
  const char *path;
  PetscInt64 size; /* of the whole file */
  PetscInt64 from, n;
  char *text;
} Piece;

/* Appends bytes of the file; there is always room for one 0 behind them. */
static PetscErrorCode Extend(Piece *piece, PetscInt64 bytes, TwofoldFault *fault)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc((size_t)(piece->n + bytes) + 1, &piece->text));
  TwofoldFileReadAt(piece->file, piece->path, piece->from + piece->n, bytes, piece->text + piece->n, fault);
  piece->n += bytes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads on behind the range, in blocks that grow, up to the end of the last line. */
static PetscErrorCode FinishLastLine(Piece *piece, TwofoldFault *fault)
{
  PetscInt64 block = 4096;

  PetscFunctionBegin;
  while (!fault->code && piece->text[piece->n - 1] != '\n' && piece->from + piece->n < piece->size) {
    const PetscInt64 before = piece->n;
    PetscCall(Extend(piece, PetscMin(block, piece->size - piece->from - piece->n), fault));
    const char *end = memchr(piece->text + before, '\n', (size_t)(piece->n - before));
    if (end) piece->n = end + 1 - piece->text;
    block = PetscMin(2 * block, 64 << 20);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads the lines that begin in bytes [begin, end) of the file; *skip is where the first one begins in the
   piece, or piece->n where there is none. */
static PetscErrorCode ReadRange(Piece *piece, PetscInt64 begin, PetscInt64 end, PetscInt64 *skip,
                                TwofoldFault *fault)
{
  PetscFunctionBegin;
  *skip = 0;
  if (begin == end) PetscFunctionReturn(PETSC_SUCCESS);
  piece->from = PetscMax(begin - 1, 0); /* the byte before tells whether a line begins at `begin` */
  PetscCall(Extend(piece, end - piece->from, fault));
  if (fault->code) piece->n = 0;
  if (begin > 0) {
    const char *newline = memchr(piece->text, '\n', (size_t)piece->n);
    *skip = newline ? newline + 1 - piece->text : piece->n;
  }
  if (*skip < piece->n) PetscCall(FinishLastLine(piece, fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Ends each line of text[0..n) by 0 and stores where it begins, unless line is NULL; returns the number of
   lines. */
static PetscInt64 CutLines(char *text, PetscInt64 n, const char *line[])
{
  PetscInt64 count = 0, next;

  for (PetscInt64 at = 0; at < n; at = next, count++) {
    char *newline = memchr(text + at, '\n', (size_t)(n - at));
    next = newline ? newline + 1 - text : n;
    if (!line) continue;
    line[count] = text + at;
    if (newline && newline > text + at && newline[-1] == '\r') newline[-1] = 0;
    text[newline ? next - 1 : n] = 0;
  }
  return count;
}

/* A NUL byte would hide the rest of its line; the SUB character in its place is refused by every parser. */
static void ReplaceNul(char *text, PetscInt64 n)
{
  for (char *nul = memchr(text, 0, (size_t)n); nul; nul = memchr(nul, 0, (size_t)(text + n - nul)))
    *nul = 0x1a;
}

PetscErrorCode TwofoldLinesRead(MPI_Comm comm, const char path[], TwofoldLines *lines)
{
  TwofoldFault fault = {0};
  Piece piece = {.path = path};
  PetscMPIInt rank, nranks;
  PetscInt64 skip, count, before, total;

  PetscFunctionBegin;
  *lines = (TwofoldLines){0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &nranks));
  PetscCall(TwofoldFileOpenRead(comm, path, &piece.file, &piece.size));
  PetscCall(ReadRange(&piece, RangeStart(piece.size, nranks, rank), RangeStart(piece.size, nranks, rank + 1),
                      &skip, &fault));
  PetscCallMPI(MPI_File_close(&piece.file));
  PetscCall(TwofoldFaultAgree(comm, &fault));

  char *const text = piece.text ? piece.text + skip : NULL;
  const PetscInt64 n = piece.text ? piece.n - skip : 0;
  if (n) ReplaceNul(text, n);
  count = CutLines(text, n, NULL);
  PetscCallMPI(MPI_Scan(&count, &before, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(&count, &total, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCheck(total < PETSC_MAX_INT, comm, PETSC_ERR_INT_OVERFLOW,
             "%s has %" PetscInt64_FMT " lines: PETSc with 64-bit indices is needed", path, total);
  lines->text = piece.text;
  lines->nlines = (PetscInt)count;
  lines->first = (PetscInt)(before - count) + 1;
  PetscCall(PetscMalloc1(count + 1, &lines->line));
  CutLines(text, n, lines->line);
  /* Some editors begin a file with a byte order mark, which is no part of its first line. */
  if (lines->first == 1 && count && !strncmp(lines->line[0], "\xEF\xBB\xBF", 3)) lines->line[0] += 3;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldLinesDestroy(TwofoldLines *lines)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(lines->text));
  PetscCall(PetscFree(lines->line));
  *lines = (TwofoldLines){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}
