/* Constants computed at a point: spectra of the Hessian and of a map's derivatives, as shell matrices over
   their products. */
#include <twofold/bound.h>
#include <twofold/impl/sysimpl.h>

/* ------------------------------------------------------------------ settings */

PetscErrorCode BoundSetDefaults(TwofoldSpectral *how)
{
  PetscFunctionBegin;
  *how = (TwofoldSpectral){.tol = 1e-6, .max_products = 500, .seed = 1};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundSetFromOptions(MPI_Comm comm, const char prefix[], TwofoldSpectral *how)
{
  PetscInt seed = (PetscInt)how->seed;

  PetscFunctionBegin;
  how->prefix = prefix;
  PetscOptionsBegin(comm, prefix, "Computed constants options", "bound");
  PetscCall(PetscOptionsReal("-tol", "Error to reach, relative to the largest value", "Bound", how->tol,
                             &how->tol, NULL));
  PetscCall(PetscOptionsInt("-max_products", "Products after which a pair is taken as it is", "Bound",
                            how->max_products, &how->max_products, NULL));
  PetscCall(PetscOptionsInt("-seed", "Of the starting vectors", "Bound", seed, &seed, NULL));
  PetscOptionsEnd();
  how->seed = seed;
  PetscCheck(how->tol > 0 && how->tol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-%stol %g: must be in (0, 1)",
             prefix, (double)how->tol);
  PetscCheck(how->max_products > 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-%smax_products %" PetscInt_FMT ": must be positive", prefix, how->max_products);
  PetscCall(TwofoldSpectralHear(comm, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundIsAccurate(const TwofoldConstant *c, PetscReal scale, const TwofoldSpectral *how,
                               PetscBool *accurate)
{
  TwofoldSpectral defaults;

  PetscFunctionBegin;
  PetscCall(BoundSetDefaults(&defaults));
  *accurate = (PetscBool)(c->standing != TWOFOLD_UNKNOWN && c->error <= (how ? how : &defaults)->tol * scale);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the Hessian */

typedef struct {
  BLP blp;
  PetscInt products;
} Hessian;

static PetscErrorCode MatMult_Hessian(Mat A, Vec x, Vec y)
{
  Hessian *H;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &H));
  PetscCall(BLPLossHessianMult(H->blp, x, y));
  H->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundHessian(BLP blp, Vec lambda, Vec w, const TwofoldSpectral *how, TwofoldConstant *L,
                            TwofoldConstant *mu)
{
  Hessian H = {.blp = blp};
  TwofoldSpectral defaults;
  TwofoldConstant below;
  PetscInt nlocal, n;
  Mat A;

  PetscFunctionBegin;
  PetscCall(BoundSetDefaults(&defaults));
  if (!how) how = &defaults;
  PetscCall(BLPLossLinearize(blp, lambda, w));
  PetscCall(VecGetLocalSize(w, &nlocal));
  PetscCall(VecGetSize(w, &n));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)blp), nlocal, nlocal, n, n, &H, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MatMult_Hessian));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &below)); /* NaN where unknown */
  PetscCall(TwofoldEigenvalue(A, TWOFOLD_LARGEST, &H.products, 0, NAN, how, L));
  PetscCall(TwofoldEigenvalue(A, TWOFOLD_SMALLEST, &H.products, L->value, below.value, how, mu));
  PetscCall(MatDestroy(&A));
  if (L->standing) L->origin = "largest eigenvalue of the Hessian at this point, by SLEPc";
  if (mu->standing) mu->origin = "smallest eigenvalue of the Hessian at this point, by SLEPc";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ d1Phi and d2Phi */

typedef struct {
  FPM fpm;
  State in, out; /* laid over the flat vectors of a product */
  PetscInt products;
} Derivative;

static PetscErrorCode ApplyMap(Derivative *d, PetscErrorCode (*product)(FPM, State, State), Vec x, Vec y)
{
  const PetscScalar *a;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall(StatePlace(d->in, a));
  PetscCall(StatePlace(d->out, b));
  PetscCall((*product)(d->fpm, d->in, d->out));
  PetscCall(StateUnplace(d->out));
  PetscCall(StateUnplace(d->in));
  PetscCall(VecRestoreArrayWrite(y, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  d->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Map(Mat A, Vec x, Vec y)
{
  Derivative *d;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &d));
  PetscCall(ApplyMap(d, FPMJVP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Map(Mat A, Vec x, Vec y)
{
  Derivative *d;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &d));
  PetscCall(ApplyMap(d, FPMVJP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Parameter(Mat A, Vec u, Vec y)
{
  Derivative *d;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &d));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall(StatePlace(d->out, b));
  PetscCall(FPMParameterJVP(d->fpm, u, d->out));
  PetscCall(StateUnplace(d->out));
  PetscCall(VecRestoreArrayWrite(y, &b));
  d->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Parameter(Mat A, Vec v, Vec g)
{
  Derivative *d;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &d));
  PetscCall(VecZeroEntries(g));
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(StatePlace(d->in, a));
  PetscCall(FPMParameterVJPAdd(d->fpm, d->in, g));
  PetscCall(StateUnplace(d->in));
  PetscCall(VecRestoreArrayRead(v, &a));
  d->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The shell of d1Phi, or in lambda of d2Phi, at (lambda, x). */
static PetscErrorCode DerivativeCreate(FPM fpm, Vec lambda, State x, PetscBool in_lambda, Derivative *d,
                                       Mat *A)
{
  PetscInt rows, Rows, columns, Columns;
  Vec flat;

  PetscFunctionBegin;
  *d = (Derivative){.fpm = fpm};
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscCall(StateCreateView(x, &d->in));
  PetscCall(StateCreateView(x, &d->out));
  PetscCall(StateCreateFlat(x, &flat));
  PetscCall(VecGetLocalSize(flat, &rows));
  PetscCall(VecGetSize(flat, &Rows));
  PetscCall(VecDestroy(&flat));
  PetscCall(VecGetLocalSize(lambda, &columns));
  PetscCall(VecGetSize(lambda, &Columns));
  if (!in_lambda) {
    columns = rows;
    Columns = Rows;
  }
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)fpm), rows, columns, Rows, Columns, d, A));
  PetscCall(
      MatShellSetOperation(*A, MATOP_MULT, (void (*)(void))(in_lambda ? MatMult_Parameter : MatMult_Map)));
  PetscCall(
      MatShellSetOperation(*A, MATOP_MULT_TRANSPOSE,
                           (void (*)(void))(in_lambda ? MatMultTranspose_Parameter : MatMultTranspose_Map)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DerivativeDestroy(Derivative *d, Mat *A)
{
  PetscFunctionBegin;
  PetscCall(MatDestroy(A));
  PetscCall(StateDestroy(&d->in));
  PetscCall(StateDestroy(&d->out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Norm(FPM fpm, Vec lambda, State x, PetscBool in_lambda, const TwofoldSpectral *how,
                           TwofoldConstant *norm)
{
  TwofoldSpectral defaults;
  Derivative d;
  Mat A;

  PetscFunctionBegin;
  PetscCall(BoundSetDefaults(&defaults));
  PetscCall(DerivativeCreate(fpm, lambda, x, in_lambda, &d, &A));
  PetscCall(TwofoldSingularValue(A, &d.products, how ? how : &defaults, norm));
  PetscCall(DerivativeDestroy(&d, &A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundMapNorm(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how, TwofoldConstant *norm)
{
  PetscFunctionBegin;
  PetscCall(Norm(fpm, lambda, x, PETSC_FALSE, how, norm));
  if (norm->standing && norm->value > 0) norm->origin = "largest singular value at this point, by SLEPc";
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundParameterNorm(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how,
                                  TwofoldConstant *norm)
{
  PetscFunctionBegin;
  PetscCall(Norm(fpm, lambda, x, PETSC_TRUE, how, norm));
  if (norm->standing && norm->value > 0) norm->origin = "largest singular value at this point, by SLEPc";
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundMapRadius(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how,
                              TwofoldConstant *radius)
{
  TwofoldSpectral defaults;
  Derivative d;
  Mat A;

  PetscFunctionBegin;
  PetscCall(BoundSetDefaults(&defaults));
  PetscCall(DerivativeCreate(fpm, lambda, x, PETSC_FALSE, &d, &A));
  PetscCall(TwofoldEigenvalue(A, TWOFOLD_RADIUS, &d.products, 0, NAN, how ? how : &defaults, radius));
  PetscCall(DerivativeDestroy(&d, &A));
  if (radius->standing && radius->value > 0)
    radius->origin = "eigenvalue of largest modulus at this point, by SLEPc";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ for optimal steps */

PetscErrorCode BoundProvideConstants(FPM fpm, Vec lambda, Vec w, const TwofoldSpectral *how)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  TwofoldConstant L, mu;
  PetscBool needs, accurate[2];
  const char *prefix;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(FPMNeedsConstants(fpm, &needs));
  if (!needs) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FPMGetBLP(fpm, &blp));
  PetscCall(BoundHessian(blp, lambda, w, how, &L, &mu));
  PetscCall(BoundIsAccurate(&L, L.value, how, &accurate[0]));
  PetscCall(BoundIsAccurate(&mu, L.value, how, &accurate[1]));
  PetscCall(PetscObjectGetOptionsPrefix((PetscObject)fpm, &prefix));
  PetscCheck(accurate[0] && accurate[1], comm, PETSC_ERR_NOT_CONVERGED,
             "-%sfpm_constants computed: after %" PetscInt_FMT " and %" PetscInt_FMT
             " products L is %g with residual %g, mu %g with %g: use formula, or give the step as a number",
             prefix ? prefix : "", L.products, mu.products, (double)L.value, (double)L.error,
             (double)mu.value, (double)mu.error);
  PetscCall(FPMSetConstants(fpm, &L, &mu));
  PetscFunctionReturn(PETSC_SUCCESS);
}
