#ifndef TWOFOLD_BLPUSER_H
#define TWOFOLD_BLPUSER_H
/**
 * @file
 * BLPUSER: a problem by callbacks, for programs that bring their own E and lower level.
 *
 * BLPSetType(blp, BLPUSER), then the sizes, E, and the lower level as a loss or as a map (or both); a part
 * that is not given is named by the first call that needs it. BLPTestDerivatives() checks what was given.
 *
 * Every callback gets the point (lambda, w) explicitly, reads its input vectors and overwrites its output
 * vectors, on all ranks of the problem's communicator. A code other than 0 that it returns is passed on.
 */
#include <twofold/blp.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * Computes E(w, lambda), and where not NULL its gradients.
 *
 * Both gradients come filled with zeros, so that an E that does not depend on lambda leaves g2 alone.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       lower variable
 * @param[out]    E       value, the same on every rank
 * @param[in,out] g1      grad1 E, in w's layout; may be NULL
 * @param[in,out] g2      grad2 E, in lambda's layout; may be NULL
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserUpperFn)(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx);
/**
 * Computes g = grad_w l(w, lambda), and l where not NULL.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       lower variable
 * @param[out]    l       value, the same on every rank; may be NULL. A lower level that has no l of its own
 *                        leaves it alone
 * @param[out]    g       gradient, in w's layout
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserGradientFn)(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx);
/**
 * Computes y = Phi(w, lambda).
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       lower variable
 * @param[out]    y       Phi(w, lambda), in w's layout
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserMapFn)(BLP blp, Vec lambda, Vec w, Vec y, void *ctx);
/**
 * Multiplies by a derivative at (lambda, w): y = A(lambda, w) v.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters of the point
 * @param[in]     w       lower variable of the point
 * @param[in]     v       vector of the space that A maps from
 * @param[out]    y       product, in the space that A maps to
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserProductFn)(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx);
/**
 * Computes the diagonal of the Hessian grad^2_ww l at (lambda, w).
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters of the point
 * @param[in]     w       lower variable of the point
 * @param[out]    d       diagonal, in w's layout
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserDiagonalFn)(BLP blp, Vec lambda, Vec w, Vec d, void *ctx);
/**
 * Called once when products at (lambda, w) are about to be asked for: the place to compute what they share.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters of the point
 * @param[in]     w       lower variable of the point
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserLinearizeFn)(BLP blp, Vec lambda, Vec w, void *ctx);
/**
 * Computes a constant at lambda.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[in,out] value   the constant, the same on every rank, not negative; NaN where it is not known there.
 *                        Comes with the number of BLPUserSetConstants()
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserConstantFn)(BLP blp, Vec lambda, PetscReal *value, void *ctx);
/**
 * Computes the gradient of a constant in lambda.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[out]    g       gradient, laid out as lambda
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserConstantGradientFn)(BLP blp, Vec lambda, Vec g, void *ctx);
/** Lipschitz constants as BLPLipschitz has them, as plain numbers; NaN: not known. */
typedef struct {
  PetscReal eta1;  /**< of grad1 E in w */
  PetscReal eta2;  /**< of grad2 E in w */
  PetscReal nu1;   /**< of the Hessian in w, or of d1Phi */
  PetscReal nu2;   /**< of d/dlambda grad_w l in w, or of d2Phi */
  PetscReal L_Phi; /**< largest `||d/dlambda grad_w l||`, or `||d2Phi||` */
} BLPUserLipschitz;
/**
 * Computes the Lipschitz constants over a ball around w.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       centre of the ball
 * @param[in]     radius  of the ball, may be infinite
 * @param[in,out] c       the constants, the same on every rank, not negative; they come as NaN, and one that
 *                        is not known is left alone
 * @param[in]     ctx     what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserLipschitzFn)(BLP blp, Vec lambda, Vec w, PetscReal radius,
                                             BLPUserLipschitz *c, void *ctx);
/**
 * Computes loss and accuracy on a set of samples.
 *
 * @collective
 *
 * @param[in]     blp      the problem
 * @param[in]     set      kind of samples, one that BLPUserSetEvaluate() named
 * @param[in]     lambda   hyperparameters
 * @param[in]     w        lower variable
 * @param[out]    metrics  what was measured, the same on every rank
 * @param[in]     ctx      what BLPUserSetContext() set
 */
typedef PetscErrorCode (*BLPUserEvaluateFn)(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics,
                                            void *ctx);

/**
 * Sets the layouts of the two spaces by example: vectors of the problem are duplicates of these.
 *
 * @logicallycollective
 *
 * @param[in] blp    a problem of type BLPUSER
 * @param[in] lambda any vector of lambda's space; a reference is kept
 * @param[in] w      any vector of w's space; a reference is kept
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetVecs(BLP blp, Vec lambda, Vec w);
/**
 * Sets the sizes of the two spaces instead of BLPUserSetVecs().
 *
 * @logicallycollective
 *
 * @param[in] blp           a problem of type BLPUSER
 * @param[in] nlambda_local this rank's entries of lambda, or PETSC_DECIDE
 * @param[in] nlambda       all entries of lambda, or PETSC_DETERMINE
 * @param[in] nw_local      this rank's entries of w, or PETSC_DECIDE
 * @param[in] nw            all entries of w, or PETSC_DETERMINE
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetSizes(BLP blp, PetscInt nlambda_local, PetscInt nlambda, PetscInt nw_local,
                               PetscInt nw);
/**
 * Sets what every callback gets as ctx.
 *
 * @logicallycollective
 *
 * @param[in] blp     a problem of type BLPUSER
 * @param[in] ctx     anything; it stays the caller's where there is no `destroy`
 * @param[in] destroy called with ctx when the problem is destroyed or gets another context; may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetContext(BLP blp, void *ctx, PetscErrorCode (*destroy)(void *ctx));
/**
 * Gives the context.
 *
 * @notcollective
 *
 * @param[in]  blp a problem of type BLPUSER
 * @param[out] ctx address of a pointer, which gets the context
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserGetContext(BLP blp, void *ctx);
/**
 * Sets the upper level: E and its gradients.
 *
 * @logicallycollective
 *
 * @param[in] blp   a problem of type BLPUSER
 * @param[in] upper E, grad1 E, grad2 E
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetUpper(BLP blp, BLPUserUpperFn upper);
/**
 * Sets the lower level as a loss, w(lambda) = argmin_w l(w, lambda).
 *
 * Maps gd, heavyball and nesterov are made from it.
 *
 * @logicallycollective
 *
 * @param[in] blp            a problem of type BLPUSER
 * @param[in] gradient       grad_w l
 * @param[in] hessian        y = grad^2_ww l v; may be NULL where no hypergradient is asked for
 * @param[in] cross          y = (d/dlambda grad_w l) v, from lambda's space to w's; may be NULL:
 *                           hypergradients do without, the test of derivatives does more with it
 * @param[in] crosstranspose y = (d/dlambda grad_w l)^T v, from w's space to lambda's; may be NULL likewise to
 *                           hessian
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 * @equation{Phi(w, lambda) = w - alpha grad_w l(w, lambda)}
 */
PetscErrorCode BLPUserSetLoss(BLP blp, BLPUserGradientFn gradient, BLPUserProductFn hessian,
                              BLPUserProductFn cross, BLPUserProductFn crosstranspose);
/**
 * Sets the diagonal of the loss's Hessian: what a Jacobi preconditioner (PRECONDJACOBI) needs.
 *
 * @logicallycollective
 *
 * @param[in] blp      a problem of type BLPUSER
 * @param[in] diagonal the diagonal of grad^2_ww l; NULL: none
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetLossDiagonal(BLP blp, BLPUserDiagonalFn diagonal);
/**
 * Sets the lower level as a map, w(lambda) = Phi(w(lambda), lambda): FPM type `problem`.
 *
 * @logicallycollective
 *
 * @param[in] blp          a problem of type BLPUSER
 * @param[in] apply        y = Phi(w, lambda)
 * @param[in] jvp          y = d1Phi v; may be NULL: needed by normal equations (cgnr, cgne, lsqr) alone
 * @param[in] vjp          y = d1Phi^T v; may be NULL where no hypergradient is asked for
 * @param[in] parameterjvp y = d2Phi v, from lambda's space to w's; may be NULL
 * @param[in] parametervjp y = d2Phi^T v, from w's space to lambda's; may be NULL likewise to vjp
 * @param[in] symmetric    whether d1Phi is symmetric: jvp and vjp are then one, and either may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetMap(BLP blp, BLPUserMapFn apply, BLPUserProductFn jvp, BLPUserProductFn vjp,
                             BLPUserProductFn parameterjvp, BLPUserProductFn parametervjp,
                             PetscBool symmetric);
/**
 * Sets what is called once per point before products of second derivatives (of the loss), or of d1Phi and
 * d2Phi (of the map).
 *
 * Values of E, l and Phi at other points may be asked for in between.
 *
 * @logicallycollective
 *
 * @param[in] blp  a problem of type BLPUSER
 * @param[in] loss for the loss, or NULL
 * @param[in] map  for the map, or NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetLinearize(BLP blp, BLPUserLinearizeFn loss, BLPUserLinearizeFn map);
/**
 * Sets constants that hold for every lambda.
 *
 * They are believed, not checked (TWOFOLD_USER).
 *
 * @logicallycollective
 *
 * @param[in] blp a problem of type BLPUSER
 * @param[in] mu  grad^2_ww l >= mu I, not negative; PETSC_DEFAULT: not known
 * @param[in] L   grad^2_ww l <= L I, positive, at least mu; PETSC_DEFAULT: not known
 * @param[in] q   ||d1Phi|| <= q of the map, not negative; PETSC_DEFAULT: not known
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 * @raises PETSC_ERR_ARG_OUTOFRANGE a constant is out of its range
 */
PetscErrorCode BLPUserSetConstants(BLP blp, PetscReal mu, PetscReal L, PetscReal q);
/**
 * Sets the same constants as functions of lambda, which go before the numbers.
 *
 * @logicallycollective
 *
 * @param[in] blp a problem of type BLPUSER
 * @param[in] mu  strong convexity of the loss, or NULL
 * @param[in] L   smoothness of the loss, or NULL
 * @param[in] q   contraction of the map, or NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetConstantFunctions(BLP blp, BLPUserConstantFn mu, BLPUserConstantFn L,
                                           BLPUserConstantFn q);
/**
 * Sets the gradients of these functions, for a step that follows lambda (FPMSetDifferentiateStep()).
 * Constants that are plain numbers need none.
 *
 * @logicallycollective
 *
 * @param[in] blp a problem of type BLPUSER
 * @param[in] mu  gradient of the strong convexity, or NULL
 * @param[in] L   gradient of the smoothness, or NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetConstantGradients(BLP blp, BLPUserConstantGradientFn mu,
                                           BLPUserConstantGradientFn L);
/**
 * Sets the Lipschitz constants that error bounds are made of: see BLPGetLipschitz().
 *
 * They are believed, not checked (TWOFOLD_USER).
 *
 * @logicallycollective
 *
 * @param[in] blp  a problem of type BLPUSER
 * @param[in] loss of E and the loss, or NULL
 * @param[in] map  of E and the map, or NULL
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetLipschitz(BLP blp, BLPUserLipschitzFn loss, BLPUserLipschitzFn map);
/**
 * Sets what BLPEvaluate() does, and on which sets.
 *
 * Without it the problem has none.
 *
 * @logicallycollective
 *
 * @param[in] blp      a problem of type BLPUSER
 * @param[in] evaluate loss and accuracy
 * @param[in] train    whether there are training samples
 * @param[in] val      whether there are validation samples
 * @param[in] test     whether there are test samples
 *
 * @raises PETSC_ERR_ARG_WRONG the problem is not of type BLPUSER
 */
PetscErrorCode BLPUserSetEvaluate(BLP blp, BLPUserEvaluateFn evaluate, PetscBool train, PetscBool val,
                                  PetscBool test);

#if defined(__cplusplus)
}
#endif
#endif
