#ifndef TWOFOLD_TEST_DIAGONAL_H
#define TWOFOLD_TEST_DIAGONAL_H
/* A problem by callbacks whose Hessian is diagonal, so that everything is known to rounding at any condition
   number:

     E = |w - 1|^2 / 2,    grad_i l = d_i w_i + a tanh(w_i) - b_i - lambda_i,    d_i = sign * kappa^(-i / (n -
   1))

   with b_i normal. As a map, Phi_i = w_i - grad_i l. */
#include "test.h"

typedef struct {
  PetscInt n;
  PetscReal kappa, a, sign;
  PetscBool map, no_value;
} Diagonal;

static inline PetscReal DiagonalEntry(const Diagonal *s, PetscInt i)
{
  return s->sign * PetscPowReal(s->kappa, -(PetscReal)i / (PetscReal)PetscMax(1, s->n - 1));
}

static inline PetscReal DiagonalShift(PetscInt i)
{
  return TwofoldRandomNormal(77, i);
}

/* w_i(lambda) by Newton's method on one number, and the slope of grad_i l there. */
static inline PetscReal DiagonalExact(const Diagonal *s, PetscInt i, PetscReal lambda, PetscReal *slope)
{
  const long double d = DiagonalEntry(s, i), right = DiagonalShift(i) + lambda;
  long double w = 0, low = -1e12L, high = 1e12L, t = 0;

  for (int k = 0; k < 200; k++) { /* within an interval that only shrinks */
    t = tanhl(w);
    const long double r = d * w + s->a * t - right;
    if (r > 0)
      high = w;
    else
      low = w;
    w -= r / (d + s->a * (1 - t) * (1 + t));
    if (w <= low || w >= high) w = (low + high) / 2;
  }
  t = tanhl(w);
  *slope = (PetscReal)(d + s->a * (1 - t) * (1 + t));
  return (PetscReal)w;
}

/* y_i <- f(i, w_i, u_i) */
typedef PetscReal (*DiagonalFn)(const Diagonal *s, PetscInt i, PetscReal w, PetscReal u);
static inline PetscErrorCode DiagonalApply(const Diagonal *s, DiagonalFn f, Vec w, Vec u, Vec y)
{
  const PetscScalar *a, *b;
  PetscScalar *c;
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(y, &first, &last));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(VecGetArrayRead(u, &b));
  PetscCall(VecGetArrayWrite(y, &c));
  for (PetscInt i = first; i < last; i++) c[i - first] = f(s, i, a[i - first], b[i - first]);
  PetscCall(VecRestoreArrayWrite(y, &c));
  PetscCall(VecRestoreArrayRead(u, &b));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscFunctionReturn(0);
}

static inline PetscReal DiagonalGradientAt(const Diagonal *s, PetscInt i, PetscReal w, PetscReal lambda)
{
  return DiagonalEntry(s, i) * w + s->a * tanh(w) - DiagonalShift(i) - lambda;
}

static inline PetscReal DiagonalSlopeAt(const Diagonal *s, PetscInt i, PetscReal w)
{
  return DiagonalEntry(s, i) + s->a * (1 - tanh(w)) * (1 + tanh(w));
}

static inline PetscReal DiagonalHessianAt(const Diagonal *s, PetscInt i, PetscReal w, PetscReal v)
{
  return DiagonalSlopeAt(s, i, w) * v;
}

static inline PetscReal DiagonalMapAt(const Diagonal *s, PetscInt i, PetscReal w, PetscReal lambda)
{
  return w - DiagonalGradientAt(s, i, w, lambda);
}

static inline PetscReal DiagonalJVPAt(const Diagonal *s, PetscInt i, PetscReal w, PetscReal v)
{
  return v - DiagonalHessianAt(s, i, w, v);
}

static inline PetscErrorCode DiagonalUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2,
                                           void *ctx)
{
  PetscReal norm;
  Vec r;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)g2; /* 0, as it comes */
  (void)ctx;
  PetscCall(VecDuplicate(w, &r));
  PetscCall(VecCopy(w, r));
  PetscCall(VecShift(r, -1));
  PetscCall(VecNorm(r, NORM_2, &norm));
  *E = norm * norm / 2;
  if (g1) PetscCall(VecCopy(r, g1));
  PetscCall(VecDestroy(&r));
  PetscFunctionReturn(0);
}

/* d w^2 / 2 + a log cosh(w) - (b + lambda) w, up to a constant */
static inline PetscReal DiagonalLossAt(const Diagonal *s, PetscInt i, PetscReal w, PetscReal lambda)
{
  const PetscReal size = PetscAbsReal(w);

  return DiagonalEntry(s, i) * w * w / 2 + s->a * (size + log1p(exp(-2 * size))) -
         (DiagonalShift(i) + lambda) * w;
}

static inline PetscErrorCode DiagonalGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  if (l && !((Diagonal *)ctx)->no_value) {
    PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalLossAt, w, lambda, g));
    PetscCall(VecSum(g, l));
  }
  PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalGradientAt, w, lambda, g));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode DiagonalHessian(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalHessianAt, w, v, y));
  PetscFunctionReturn(0);
}

static inline PetscReal DiagonalSlope2At(const Diagonal *s, PetscInt i, PetscReal w, PetscReal unused)
{
  (void)unused;
  return DiagonalSlopeAt(s, i, w);
}

static inline PetscErrorCode DiagonalDiagonal(BLP blp, Vec lambda, Vec w, Vec d, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalSlope2At, w, lambda, d));
  PetscFunctionReturn(0);
}

/* d/dlambda grad_w l = -I, d2Phi = I */
static inline PetscErrorCode DiagonalCross(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  PetscCall(VecCopy(v, y));
  PetscCall(VecScale(y, ((Diagonal *)ctx)->map ? 1 : -1));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode DiagonalMap(BLP blp, Vec lambda, Vec w, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalMapAt, w, lambda, y));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode DiagonalJVP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  PetscCall(DiagonalApply((Diagonal *)ctx, DiagonalJVPAt, w, v, y));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode DiagonalProblem(MPI_Comm comm, Diagonal *s, BLP *blp)
{
  Vec like;

  PetscFunctionBegin;
  PetscCall(VecCreate(comm, &like));
  PetscCall(VecSetSizes(like, PETSC_DECIDE, s->n));
  PetscCall(VecSetType(like, VECSTANDARD));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, BLPUSER));
  PetscCall(BLPUserSetVecs(*blp, like, like));
  PetscCall(VecDestroy(&like));
  PetscCall(BLPUserSetContext(*blp, s, NULL));
  PetscCall(BLPUserSetUpper(*blp, DiagonalUpper));
  if (s->map)
    PetscCall(
        BLPUserSetMap(*blp, DiagonalMap, DiagonalJVP, DiagonalJVP, DiagonalCross, DiagonalCross, PETSC_TRUE));
  else
    PetscCall(BLPUserSetLoss(*blp, DiagonalGradient, DiagonalHessian, DiagonalCross, DiagonalCross));
  if (!s->map) PetscCall(BLPUserSetLossDiagonal(*blp, DiagonalDiagonal));
  if (s->sign > 0) PetscCall(BLPUserSetConstants(*blp, 1 / s->kappa, 1 + s->a, (PetscReal)PETSC_DEFAULT));
  PetscCall(BLPSetUp(*blp));
  PetscFunctionReturn(0);
}

#endif
