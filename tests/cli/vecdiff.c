/* vecdiff A B: prints ||A - B|| / ||B|| of two PETSc binary vectors, read without PETSc. Exits with 2 where a
   file is not such a vector or their lengths differ. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { vec_classid = 1211214 };

static uint64_t BigEndian(const unsigned char *byte, int n)
{
  uint64_t x = 0;

  for (int i = 0; i < n; i++) x = x << 8 | byte[i];
  return x;
}

static void Die(const char path[], const char what[])
{
  fprintf(stderr, "vecdiff: %s: %s\n", path, what);
  exit(2);
}

/* Opens the vector and returns its length. */
static long Open(const char path[], FILE **file)
{
  unsigned char head[16];

  *file = fopen(path, "rb");
  if (!*file) Die(path, "cannot be read");
  if (fread(head, 1, 8, *file) != 8) Die(path, "no PETSc vector");
  const size_t width = BigEndian(head, 4) ? 4 : 8; /* of an integer */
  if (width == 8 && fread(head + 8, 1, 8, *file) != 8) Die(path, "no PETSc vector");
  if (BigEndian(head, (int)width) != vec_classid) Die(path, "no PETSc vector");
  return (long)BigEndian(head + width, (int)width);
}

static double Next(FILE *file, const char path[])
{
  unsigned char byte[8];
  double x;

  if (fread(byte, 1, 8, file) != 8) Die(path, "ends too early");
  const uint64_t bits = BigEndian(byte, 8);
  memcpy(&x, &bits, sizeof(x));
  return x;
}

int main(int argc, char **argv)
{
  double difference = 0, norm = 0;
  FILE *file[2];

  if (argc != 3) Die("usage", "vecdiff A B");
  const long n = Open(argv[1], &file[0]);
  if (Open(argv[2], &file[1]) != n) Die(argv[2], "has another length");
  for (long i = 0; i < n; i++) {
    const double a = Next(file[0], argv[1]), b = Next(file[1], argv[2]);
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  printf("%.3e\n", norm > 0 ? sqrt(difference / norm) : sqrt(difference));
  return 0;
}
