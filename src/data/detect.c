/* The format of a file, by what its name and its first bytes look like. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <twofold/impl/datasetimpl.h>

/* By a magic number, or NULL; PETSc with 64-bit indices writes its class id as eight bytes. */
static DataSetFormat FormatOfMagic(const char head[], size_t n)
{
  const struct {
    DataSetFormat format;
    size_t length;
    const char *bytes;
  } magic[] = {{DATASETIDX, 2, "\x1f\x8b"}, /* gzip */
               {DATASETIDX, 3, "\0\0\x08"},
               {DATASETBINARY, 8, "\0\0\0\0\0\x12\x7b\x50"}, /* MAT_FILE_CLASSID, big-endian */
               {DATASETBINARY, 4, "\0\x12\x7b\x50"},
               {DATASETHDF5, 8, "\x89HDF\r\n\x1a\n"}};

  for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
    if (n >= 4 && n >= magic[i].length && !memcmp(head, magic[i].bytes, magic[i].length))
      return magic[i].format;
  return NULL;
}

static PetscBool HasEnding(const char path[], const char ending[])
{
  const size_t n = strlen(path), m = strlen(ending);
  return (PetscBool)(n > m && !strcasecmp(path + n - m, ending));
}

static const char *SkipSpace(const char *s)
{
  while (isspace((unsigned char)*s)) s++;
  return s;
}

/* A line with separators that is not `label index:value ...`. */
static PetscBool LooksSeparated(const char line[])
{
  const size_t length = strcspn(line, "#\r\n"), first = strcspn(line, ",;\t");
  const char *at = line;

  if (first >= length || SkipSpace(line + first) >= line + length) return PETSC_FALSE;
  while (*at && !isspace((unsigned char)*at)) at++; /* the label */
  at = SkipSpace(at);
  if (!strncmp(at, "qid:", 4)) return PETSC_FALSE;
  const size_t digits = strspn(at, "0123456789");
  return (PetscBool) !(digits && at[digits] == ':');
}

/* By the name, or by the first line that is neither blank nor a comment. */
static DataSetFormat FormatOfText(const char path[], const char head[])
{
  const char *line = head;

  if (HasEnding(path, ".csv") || HasEnding(path, ".tsv") || HasEnding(path, ".data")) return DATASETCSV;
  if (!strncmp(line, "\xEF\xBB\xBF", 3)) line += 3;
  for (line = SkipSpace(line); *line == '#'; line = SkipSpace(line)) line += strcspn(line, "\n");
  return LooksSeparated(line) ? DATASETCSV : DATASETSVMLIGHT;
}

/* Rank 0 reads the head of the file. */
static PetscErrorCode DetectOnThisRank(const char path[], char format[], size_t len)
{
  char head[65536];
  size_t n = 0;
  FILE *const file = fopen(path, "rb");

  PetscFunctionBegin;
  if (file) {
    n = fread(head, 1, sizeof(head) - 1, file);
    fclose(file);
  }
  head[n] = 0;
  const DataSetFormat magic = FormatOfMagic(head, n);
  PetscCall(PetscStrncpy(format, magic ? magic : FormatOfText(path, head), len));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetDetectFormat_Private(MPI_Comm comm, const char path[], char format[], size_t len)
{
  PetscMPIInt rank;
  PetscBool folder;

  PetscFunctionBegin;
  PetscCall(TwofoldCheckReadable(comm, path, &folder));
  PetscCall(PetscMemzero(format, len));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (folder)
    PetscCall(PetscStrncpy(format, DATASETTEXT, len));
  else if (rank == 0)
    PetscCall(DetectOnThisRank(path, format, len));
  PetscCallMPI(MPI_Bcast(format, (PetscMPIInt)len, MPI_CHAR, 0, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
