/* What messages cost twofold bench: the collectives that products with a feature matrix are made of, on all
 * ranks. */
#include <math.h>
#include "bench.h"

enum { GATHER, REDUCE_SCATTER, SUM };

/* What a collective works on: pieces of equal size. */
typedef struct {
  PetscMPIInt size, *count, *offset;
  PetscScalar *own, *all;
} Pieces;

static PetscErrorCode PiecesCreate(PetscReal most, Pieces *pieces)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &pieces->size));
  PetscCall(PetscCalloc2(pieces->size, &pieces->count, pieces->size, &pieces->offset));
  PetscCall(PetscCalloc2((size_t)(most / sizeof(PetscScalar)) + 1, &pieces->own,
                         (size_t)(most / sizeof(PetscScalar)) + (size_t)pieces->size, &pieces->all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PiecesDestroy(Pieces *pieces)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(pieces->count, pieces->offset));
  PetscCall(PetscFree2(pieces->own, pieces->all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One number a piece is the least; *whole becomes what it is. */
static void PiecesSetSize(Pieces *pieces, PetscReal *whole)
{
  const PetscMPIInt count =
      PetscMax(1, (PetscMPIInt)(*whole / sizeof(PetscScalar) / (PetscReal)pieces->size));

  for (PetscMPIInt r = 0; r < pieces->size; r++) {
    pieces->count[r] = count;
    pieces->offset[r] = r * count;
  }
  *whole = (PetscReal)count * (PetscReal)pieces->size * sizeof(PetscScalar);
}

static PetscErrorCode Communicate(int kind, const Pieces *pieces)
{
  PetscFunctionBegin;
  if (kind == GATHER)
    PetscCallMPI(MPI_Allgatherv(pieces->own, pieces->count[0], MPIU_SCALAR, pieces->all, pieces->count,
                                pieces->offset, MPIU_SCALAR, PETSC_COMM_WORLD));
  else if (kind == REDUCE_SCATTER)
    PetscCallMPI(
        MPI_Reduce_scatter(pieces->all, pieces->own, pieces->count, MPIU_SCALAR, MPIU_SUM, PETSC_COMM_WORLD));
  else
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pieces->own, 2, MPIU_SCALAR, MPIU_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The median time of one; small ones are made many at a time, far beyond the clock's resolution. */
static PetscErrorCode Time(int kind, const Pieces *pieces, PetscReal whole, PetscInt runs, PetscReal times[],
                           PetscReal *us)
{
  const int many = (int)PetscMax(1, PetscMin(100, 2e6 / whole));
  PetscLogDouble begin;
  PetscReal warm;

  PetscFunctionBegin;
  for (PetscInt run = -1; run < runs; run++) {
    PetscReal *const ms = run < 0 ? &warm : &times[run];
    PetscCall(BenchBegin(&begin));
    for (int i = 0; i < many; i++) PetscCall(Communicate(kind, pieces));
    PetscCall(BenchEnd(begin, ms));
    *ms *= 1e3 / many;
  }
  *us = BenchSummarise(runs, times).median;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* latency and rate so that the relative errors have the least squares: with a_i = messages / t_i and b_i =
   bytes sent / t_i, a_i latency + b_i / rate is near 1. Neither becomes negative. */
static void Fit(int size, BenchCollective *of)
{
  PetscReal aa = 0, ab = 0, bb = 0, a1 = 0, b1 = 0;

  for (int i = 0; i < of->nwholes; i++) {
    const PetscReal a = of->messages / of->us[i], b = of->whole[i] * (1 - 1 / (PetscReal)size) / of->us[i];
    aa += a * a;
    ab += a * b;
    bb += b * b;
    a1 += a;
    b1 += b;
  }
  const PetscReal det = aa * bb - ab * ab;
  PetscReal latency = of->nwholes > 1 && det > 0 ? (a1 * bb - b1 * ab) / det : a1 / aa;
  PetscReal per_byte = of->nwholes > 1 && det > 0 ? (b1 * aa - a1 * ab) / det : 0;
  if (latency < 0) {
    latency = 0;
    per_byte = b1 / bb;
  } else if (per_byte < 0) {
    latency = a1 / aa;
    per_byte = 0;
  }
  of->latency_us = latency;
  of->gb_s = 1e-3 / per_byte; /* bytes a microsecond are 1e-3 GB/s */
}

PetscErrorCode BenchMeasureCollectives(PetscInt runs, BenchCollective of[])
{
  const PetscReal whole[BENCH_WHOLES] = {1e3, 16e3, 128e3, 1e6, 8e6};
  PetscMPIInt size;
  int rounds = 0;
  Pieces pieces;
  PetscReal *times;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  while ((1 << rounds) < size) rounds++;
  of[GATHER] =
      (BenchCollective){.name = "gather", .key = "gather", .messages = size - 1, .nwholes = BENCH_WHOLES};
  of[REDUCE_SCATTER] = (BenchCollective){
      .name = "reduce-scatter", .key = "reduce_scatter", .messages = rounds, .nwholes = BENCH_WHOLES};
  of[SUM] = (BenchCollective){.name = "sum of two numbers", .key = "sum", .messages = rounds, .nwholes = 1};
  if (size == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PiecesCreate(whole[BENCH_WHOLES - 1], &pieces));
  PetscCall(PetscMalloc1(runs, &times));
  for (int kind = 0; kind < BENCH_COLLECTIVES; kind++) {
    for (int i = 0; i < of[kind].nwholes; i++) {
      of[kind].whole[i] = kind == SUM ? 2 * sizeof(PetscScalar) : whole[i];
      PiecesSetSize(&pieces, &of[kind].whole[i]);
      PetscCall(Time(kind, &pieces, of[kind].whole[i], runs, times, &of[kind].us[i]));
    }
    Fit(size, &of[kind]);
  }
  PetscCall(PetscFree(times));
  PetscCall(PiecesDestroy(&pieces));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BenchPrintCollectives(const BenchCollective of[])
{
  PetscFunctionBegin;
  if (of[GATHER].messages == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%-27s %9s %9s\n", "collectives, all ranks", "us a", "GB/s"));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-27s %9s %9s\n", "", "message", "a rank"));
  for (int kind = 0; kind < BENCH_COLLECTIVES; kind++) {
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-27s %9.2f", of[kind].name, (double)of[kind].latency_us));
    if (isfinite(of[kind].gb_s)) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %9.2f", (double)of[kind].gb_s));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n"));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

void BenchWriteCollectives(Json *json, const BenchCollective of[])
{
  for (int kind = 0; kind < BENCH_COLLECTIVES && of[GATHER].messages > 0; kind++) {
    JsonOpen(json, of[kind].key);
    JsonInt(json, "messages", of[kind].messages);
    JsonReal(json, "latency_us", of[kind].latency_us);
    JsonReal(json, "gb_s", of[kind].gb_s);
    JsonOpen(json, "us_by_bytes");
    for (int i = 0; i < of[kind].nwholes; i++) {
      char key[32];
      snprintf(key, sizeof(key), "%.0f", (double)of[kind].whole[i]);
      JsonReal(json, key, of[kind].us[i]);
    }
    JsonClose(json);
    JsonClose(json);
  }
}
