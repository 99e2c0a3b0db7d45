/* Text files by lines: every line whole on one rank, in order, whatever the ranges cut through. */
#include "files.h"
#include <twofold/impl/sysimpl.h>

/* All lines in order, each as `number:text|`, from a file with these bytes. */
static PetscErrorCode ReadBack(const char folder[], const char bytes[], size_t n, char **all)
{
  char path[PETSC_MAX_PATH_LEN], *mine;
  TwofoldLines lines;
  size_t at = 0, room = 1;

  PetscFunctionBegin;
  PetscCall(FileWrite(folder, "lines", bytes, n, path));
  PetscCall(TwofoldLinesRead(TEST_COMM, path, &lines));
  for (PetscInt i = 0; i < lines.nlines; i++) room += strlen(lines.line[i]) + 24;
  PetscCall(PetscCalloc1(room, &mine));
  for (PetscInt i = 0; i < lines.nlines; i++)
    at += (size_t)sprintf(mine + at, "%d:%s|", (int)(lines.first + i), lines.line[i]);
  PetscCall(GatherText(TEST_COMM, mine, all));
  PetscCall(PetscFree(mine));
  PetscCall(TwofoldLinesDestroy(&lines));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscFunctionReturn(0);
}

static PetscErrorCode Expect(const char folder[], const char bytes[], size_t n, const char expected[])
{
  char *all;

  PetscFunctionBegin;
  PetscCall(ReadBack(folder, bytes, n, &all));
  CHECK(!strcmp(all, expected), "read '%s' instead of '%s'", all, expected);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode Literals(const char folder[])
{
  PetscFunctionBegin;
  PetscCall(Expect(folder, "", 0, ""));
  PetscCall(Expect(folder, "a", 1, "1:a|"));
  PetscCall(Expect(folder, "\n", 1, "1:|"));
  PetscCall(Expect(folder, "\n\n\n", 3, "1:|2:|3:|"));
  PetscCall(Expect(folder, "one\ntwo\nthree\n", 14, "1:one|2:two|3:three|"));
  PetscCall(Expect(folder, "one\r\ntwo\r\n\r\nfour", 16, "1:one|2:two|3:|4:four|"));
  PetscCall(Expect(folder, "a\rb\n", 4, "1:a\rb|"));
  PetscCall(Expect(folder, "a\0b\nc\n", 6, "1:a\032b|2:c|"));
  PetscCall(Expect(folder,
                   "\xEF\xBB\xBF"
                   "a\nb\n",
                   7, "1:a|2:b|"));
  PetscFunctionReturn(0);
}

/* Random small files against a plain loop over the bytes. */
static PetscErrorCode Random(const char folder[])
{
  char bytes[64], expected[64 * 8], *all;

  PetscFunctionBegin;
  for (PetscInt64 seed = 0; seed < 60; seed++) {
    const size_t n = (size_t)(TwofoldRandomBits(seed, -1) & 63);
    size_t at = 0;
    int number = 0;
    PetscBool fresh = PETSC_TRUE;
    for (size_t i = 0; i < n; i++) {
      const int kind = (int)(TwofoldRandomBits(seed, (PetscInt64)i) & 7);
      bytes[i] = (char)(kind < 2 ? '\n' : 'a' + kind);
    }
    for (size_t i = 0; i < n; i++) {
      if (fresh) at += (size_t)sprintf(expected + at, "%d:", ++number);
      fresh = (PetscBool)(bytes[i] == '\n');
      expected[at++] = (char)(fresh ? '|' : bytes[i]);
    }
    if (!fresh) expected[at++] = '|';
    expected[at] = 0;
    PetscCall(ReadBack(folder, bytes, n, &all));
    CHECK(!strcmp(all, expected), "seed %d: read '%s' instead of '%s'", (int)seed, all, expected);
    PetscCall(PetscFree(all));
  }
  PetscFunctionReturn(0);
}

/* A line much longer than a rank's range and than a block read on. */
static PetscErrorCode LongLine(const char folder[])
{
  const size_t length = 300000;
  char *bytes, *expected;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(length + 16, &bytes, length + 32, &expected));
  memcpy(bytes, "ab\n", 3);
  memset(bytes + 3, 'x', length);
  memcpy(bytes + 3 + length, "\ncd\n", 4);
  memcpy(expected, "1:ab|2:", 7);
  memset(expected + 7, 'x', length);
  strcpy(expected + 7 + length, "|3:cd|");
  PetscCall(Expect(folder, bytes, 3 + length + 4, expected));
  PetscCall(PetscFree2(bytes, expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode Errors(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN];
  TwofoldLines lines;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/missing", folder));
  CHECK_SAYS(PETSC_ERR_FILE_OPEN, path, TwofoldLinesRead(TEST_COMM, path, &lines));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is a folder", TwofoldLinesRead(TEST_COMM, folder, &lines));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Literals(folder));
  PetscCall(Random(folder));
  PetscCall(LongLine(folder));
  PetscCall(Errors(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
