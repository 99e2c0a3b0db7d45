/* Making of quadratic (see the head of quadratic.c): its numbers, each by its global index. */
#include "quadratic.h"

/* The numbers of one kind do not depend on those of another. */
typedef enum { REFLECTOR, SOLUTION, TARGET, CENTRE, SIGN, ROTATION, SQUEEZE } Stream;

static PetscInt64 Seed(const Quadratic *qd, Stream stream)
{
  return (PetscInt64)16 * qd->seed + stream;
}

static PetscReal UnitRandom(const Quadratic *qd, Stream stream, PetscInt i) /* in [0, 1) */
{
  return (PetscReal)(TwofoldRandomBits(Seed(qd, stream), i) & 0xfffff) / (PetscReal)0x100000;
}

/* Number i of `count` from mu to L, both ends exact. */
static PetscReal Spectrum(const Quadratic *qd, PetscInt i, PetscInt count)
{
  if (i == 0) return qd->mu;
  if (i == count - 1) return qd->L;
  const PetscReal t = (PetscReal)i / (PetscReal)(count - 1);
  const PetscReal a = qd->linear ? qd->mu + t * (qd->L - qd->mu) : qd->mu * PetscPowReal(qd->L / qd->mu, t);
  return PetscMin(PetscMax(a, qd->mu), qd->L);
}

/* I - K_k = [d_0 o_0; o_1 d_1], with nothing cancelled where it is small. */
static void MapBlock(const Quadratic *qd, PetscInt k, PetscReal a, PetscReal d[2], PetscReal o[2])
{
  const PetscReal x = TwofoldRandomNormal(Seed(qd, ROTATION), 2 * k);
  const PetscReal y = TwofoldRandomNormal(Seed(qd, ROTATION), 2 * k + 1), r = 1 - a;
  const PetscBool plain = (PetscBool)(qd->worst && k == 0);
  const PetscReal s = plain ? 1 : UnitRandom(qd, SQUEEZE, k), radius = PetscSqrtReal(x * x + y * y);
  const PetscReal cosine = plain ? 1 : x / radius, sine = plain ? 0 : y / radius;
  const PetscReal versine = cosine > 0 ? sine * sine / (1 + cosine) : 1 - cosine;

  d[0] = a + r * versine;
  d[1] = a + r * (1 - s + s * versine);
  o[0] = r * s * sine;
  o[1] = -r * sine;
}

static PetscErrorCode FillCore(Quadratic *qd)
{
  const PetscInt npairs = qd->n / 2 + qd->n % 2;
  PetscScalar *a, *across = NULL;
  PetscInt first, n;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(qd->a, &first, NULL));
  PetscCall(VecGetLocalSize(qd->a, &n));
  PetscCall(VecGetArrayWrite(qd->a, &a));
  if (!qd->symmetric) PetscCall(VecGetArrayWrite(qd->across, &across));
  for (PetscInt i = 0; i < n && qd->symmetric; i++) a[i] = Spectrum(qd, first + i, qd->n);
  for (PetscInt i = 0; i < n && !qd->symmetric; i += 2) {
    const PetscInt k = (first + i) / 2;
    const PetscReal value = Spectrum(qd, k, npairs);
    if (i + 1 < n) {
      MapBlock(qd, k, value, a + i, across + i);
    } else {
      a[i] = value;
      across[i] = 0;
    }
  }
  if (!qd->symmetric) PetscCall(VecRestoreArrayWrite(qd->across, &across));
  PetscCall(VecRestoreArrayWrite(qd->a, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* N = diag(s) P: a row has its entry in column i mod m; or row 0 alone has one. */
static PetscErrorCode MakeSpread(Quadratic *qd)
{
  PetscInt first, n, mlocal, *rowptr, *column;
  PetscScalar *one, *s;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(qd->s, &first, NULL));
  PetscCall(VecGetLocalSize(qd->s, &n));
  PetscCall(VecGetLocalSize(qd->c, &mlocal));
  PetscCall(PetscMalloc3(n + 1, &rowptr, n, &column, n, &one));
  PetscCall(VecGetArrayWrite(qd->s, &s));
  rowptr[0] = 0;
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt j = (first + i) % qd->m, rows = (qd->n - 1 - j) / qd->m + 1; /* of column j */
    const PetscReal sign = TwofoldRandomBits(Seed(qd, SIGN), first + i) & 1 ? 1 : -1;
    const PetscBool there = (PetscBool)(!qd->worst || first + i == 0);
    s[i] = qd->worst ? (there ? 1 : 0) : sign / PetscSqrtReal((PetscReal)rows);
    column[rowptr[i]] = j;
    one[rowptr[i]] = 1;
    rowptr[i + 1] = rowptr[i] + (there ? 1 : 0);
  }
  PetscCall(VecRestoreArrayWrite(qd->s, &s));
  PetscCall(MatCreate(PetscObjectComm((PetscObject)qd->s), &qd->P));
  PetscCall(MatSetSizes(qd->P, n, mlocal, qd->n, qd->m));
  PetscCall(MatSetType(qd->P, MATAIJ));
  PetscCall(MatSeqAIJSetPreallocationCSR(qd->P, rowptr, column, one));
  PetscCall(MatMPIAIJSetPreallocationCSR(qd->P, rowptr, column, one));
  PetscCall(PetscFree3(rowptr, column, one));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* h, D, t and c */
static PetscErrorCode FillVectors(Quadratic *qd)
{
  PetscInt first, n;
  PetscScalar *d;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(qd->u, Seed(qd, REFLECTOR)));
  PetscCall(VecNormalize(qd->u, NULL));
  PetscCall(TwofoldVecSetRandomNormal(qd->c, Seed(qd, CENTRE)));
  PetscCall(TwofoldVecSetRandomNormal(qd->t, Seed(qd, TARGET)));
  PetscCall(TwofoldVecSetRandomNormal(qd->x, Seed(qd, SOLUTION)));
  if (qd->worst) {
    PetscCall(VecZeroEntries(qd->t));
    PetscCall(VecCopy(qd->s, qd->x)); /* e_1 */
  }
  PetscCall(QuadraticCore_Private(qd, QUADRATIC_MULT, qd->a, qd->x, qd->h));
  PetscCall(VecGetOwnershipRange(qd->D, &first, NULL));
  PetscCall(VecGetLocalSize(qd->D, &n));
  PetscCall(VecGetArrayWrite(qd->D, &d));
  for (PetscInt i = 0; i < n; i++) d[i] = qd->worst ? qd->eta1 : qd->eta1 / (PetscReal)(1 + (first + i) % 3);
  PetscCall(VecRestoreArrayWrite(qd->D, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode QuadraticMake_Private(Quadratic *qd)
{
  PetscFunctionBegin;
  PetscCall(FillCore(qd));
  PetscCall(MakeSpread(qd));
  PetscCall(FillVectors(qd));
  PetscFunctionReturn(PETSC_SUCCESS);
}
