/*
  Constants of distill (see the head of distill.c). With delta = beta / (c p), x_i the images, N = ||lambda||
  from the m x m matrix lambda^T lambda, and rows of R at most sqrt(2) / m long:

    mu = delta                                        L = N^2 / (2 m) + delta
    nu1 = sqrt(6)/9 N^2 max ||x_i|| / m               eta1 = ||X'||^2 / (2 n'),   eta2 = 0

  (d/dlambda grad_w l)^T V = V R^T + W H[lambda^T V]^T is at most ||R|| + ||W|| N / (2 m), with ||W|| <= ||w||
  + radius and ||R|| <= min(sqrt(2 / m), ||R(w)|| + N radius / (2 m)) over a ball. A step dW changes V R^T and
  the first factor W by N / (2 m) each, and H by sqrt(6)/9 max ||x_i|| N / m:

    nu2 = N / m + (||w|| + radius) sqrt(6)/9 max ||x_i|| N / m
*/
#include "distill.h"
#include "eigen.h"

static TwofoldConstant Proved(PetscReal value, const char origin[])
{
  return (TwofoldConstant){.value = value, .standing = TWOFOLD_PROVED, .origin = origin};
}

PetscErrorCode BLPStrongConvexity_Distill(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  (void)lambda;
  *mu = Proved(DistillDecay_Private((const Distill *)blp->data), "beta / (c p)");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_Distill(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  (void)blp, (void)lambda;
  PetscCall(VecZeroEntries(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* N^2, with what rounding may do to an eigenvalue added, and max ||x_i||; ds->gram becomes the eigenvectors.
 */
static PetscErrorCode ImageNorms(const Distill *ds, Vec lambda, PetscReal *square, PetscReal *longest)
{
  const PetscInt m = ds->m;
  PetscReal *e, trace = 0, largest = 0;

  PetscFunctionBegin;
  PetscCall(DistillInner_Private(ds->m, lambda, ds->m, lambda, ds->gram));
  for (PetscInt i = 0; i < m; i++) {
    trace += ds->gram[i * (m + 1)];
    largest = PetscMax(largest, ds->gram[i * (m + 1)]);
  }
  PetscCall(PetscMalloc1(m, &e));
  PetscCall(SymmetricEigen(m, ds->gram, e));
  *square = PetscMax(e[m - 1], 0) + (PetscReal)(ds->p + 10 * m) * PETSC_MACHINE_EPSILON * trace;
  *longest = PetscSqrtReal(largest);
  PetscCall(PetscFree(e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothness_Distill(BLP blp, Vec lambda, TwofoldConstant *L)
{
  const Distill *ds = (const Distill *)blp->data;
  PetscReal square = 0, longest = 0;

  PetscFunctionBegin;
  PetscCall(ImageNorms(ds, lambda, &square, &longest));
  *L = Proved(square / (2 * (PetscReal)ds->m) + DistillDecay_Private(ds),
              "||lambda||^2 / (2 m) + beta / (c p)");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d N^2 = 2 <lambda u u^T, d lambda> for the unit eigenvector u. */
PetscErrorCode BLPSmoothnessGradient_Distill(BLP blp, Vec lambda, Vec g)
{
  const Distill *ds = (const Distill *)blp->data;
  const PetscInt m = ds->m;
  const PetscReal *const u = ds->gram + (m - 1) * m;
  const PetscScalar *x;
  PetscReal square = 0, longest = 0;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(ImageNorms(ds, lambda, &square, &longest));
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayRead(lambda, &x));
  PetscCall(VecGetArrayWrite(g, &a));
  for (PetscInt j = 0; j < n; j += m) {
    PetscReal along = 0;
    for (PetscInt i = 0; i < m; i++) along += x[j + i] * u[i];
    for (PetscInt i = 0; i < m; i++) a[j + i] = along * u[i] / (PetscReal)m;
  }
  PetscCall(VecRestoreArrayWrite(g, &a));
  PetscCall(VecRestoreArrayRead(lambda, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||R|| at w */
static PetscErrorCode SlopeNorm(const Distill *ds, Vec lambda, Vec w, PetscReal *norm)
{
  CrossEntropy out = DistillBegin_Private(ds, PETSC_FALSE);
  PetscReal square = 0;

  PetscFunctionBegin;
  PetscCall(DistillInner_Private(ds->m, lambda, ds->c, w, ds->T));
  PetscCall(CrossEntropyGradientRows(&out, 0, ds->m, ds->T));
  for (PetscInt i = 0; i < ds->m * ds->c; i++) square += ds->T[i] * ds->T[i];
  *norm = PetscSqrtReal(square);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossLipschitz_Distill(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  const Distill *ds = (const Distill *)blp->data;
  const PetscReal m = (PetscReal)ds->m, third = PetscSqrtReal(6) / 9;
  PetscReal square = 0, longest = 0, slope = 0, reach;
  TwofoldConstant val;
  PetscInt nval;

  PetscFunctionBegin;
  PetscCall(ImageNorms(ds, lambda, &square, &longest));
  PetscCall(SlopeNorm(ds, lambda, w, &slope));
  PetscCall(VecNorm(w, NORM_2, &reach));
  PetscCall(FeatureMatGetNorm(ds->X[BLP_VAL], &val));
  PetscCall(FeatureMatGetSizes(ds->X[BLP_VAL], &nval, NULL, NULL));
  const PetscReal N = PetscSqrtReal(square), far = reach + radius;
  c->eta2 = Proved(0, "E does not depend on lambda");
  if (val.standing) {
    c->eta1 = Proved(val.value * val.value / (2 * (PetscReal)nval), "||X'||^2 / (2 n')");
    c->eta1.products = val.products;
  }
  c->nu1 = Proved(third * square * longest / m, "sqrt(6)/9 ||lambda||^2 max ||x_i|| / m");
  c->nu2 = Proved(N > 0 ? N / m * (1 + far * third * longest) : 0,
                  "||lambda|| / m (1 + sqrt(6)/9 (||w|| + radius) max ||x_i||)");
  if (N > 0) slope = PetscMin(PetscSqrtReal(2 / m), slope + N * radius / (2 * m));
  c->L_Phi = Proved(slope + (N > 0 ? N * far / (2 * m) : 0),
                    "||R|| over the ball + ||lambda|| (||w|| + radius) / (2 m)");
  PetscFunctionReturn(PETSC_SUCCESS);
}
